package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

const (
	version  = "svinit-demo"
	maxValue = 1 << 20
	maxKey   = 250
)

type item struct {
	flags uint32
	value []byte
}

type store struct {
	mu    sync.Mutex
	items map[string]item
}

func newStore() *store { return &store{items: map[string]item{}} }

var (
	errUnknown = errors.New("ERROR")
	errFormat  = errors.New("CLIENT_ERROR bad command line format")
	errChunk   = errors.New("CLIENT_ERROR bad data chunk")
	errLarge   = errors.New("SERVER_ERROR object too large for cache")
	errNumber  = errors.New("CLIENT_ERROR cannot increment or decrement non-numeric value")
)

// serve answers the commands of one connection until its end, the command quit, or an error after which the
// beginning of the next command is unknown.
func (s *store) serve(c io.ReadWriter) {
	in := bufio.NewReader(c)
	out := bufio.NewWriter(c)
	defer out.Flush()
	for {
		// Commands are short: a line that does not fit into the buffer is invalid.
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		words := strings.Fields(string(line))
		if len(words) == 1 && words[0] == "quit" {
			return
		}
		answer, err := s.command(words, in)
		if err != nil {
			answer = err.Error() + "\r\n"
		}
		out.WriteString(answer)
		if err == errChunk || err == errLarge {
			return
		}
		// Commands sent together get their answers together.
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// command executes one command and returns its answer with line ends. It reads the value for set and add from
// in.
func (s *store) command(words []string, in io.Reader) (string, error) {
	if len(words) == 0 {
		return "", errUnknown
	}
	switch words[0] {
	case "version":
		return "VERSION " + version + "\r\n", nil
	case "get":
		return s.get(words[1:])
	case "set", "add":
		return s.put(words[0] == "add", words[1:], in)
	case "incr":
		return s.incr(words[1:])
	}
	return "", errUnknown
}

func (s *store) get(keys []string) (string, error) {
	if len(keys) == 0 {
		return "", errUnknown
	}
	var b strings.Builder
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		if it, ok := s.items[k]; ok {
			fmt.Fprintf(&b, "VALUE %s %d %d\r\n%s\r\n", k, it.flags, len(it.value), it.value)
		}
	}
	b.WriteString("END\r\n")
	return b.String(), nil
}

// put executes set and add: KEY FLAGS EXPIRY BYTES [noreply], then the value. It ignores the expiry.
func (s *store) put(onlyNew bool, a []string, in io.Reader) (string, error) {
	quiet := len(a) == 5 && a[4] == "noreply"
	if len(a) != 4 && !quiet || len(a[0]) > maxKey {
		return "", errFormat
	}
	flags, err1 := strconv.ParseUint(a[1], 10, 32)
	_, err2 := strconv.ParseInt(a[2], 10, 64)
	size, err3 := strconv.ParseUint(a[3], 10, 32)
	if errors.Join(err1, err2, err3) != nil {
		return "", errFormat
	}
	if size > maxValue {
		return "", errLarge
	}
	data := make([]byte, size+2)
	if _, err := io.ReadFull(in, data); err != nil || string(data[size:]) != "\r\n" {
		return "", errChunk
	}
	s.mu.Lock()
	_, old := s.items[a[0]]
	stored := !(onlyNew && old)
	if stored {
		s.items[a[0]] = item{uint32(flags), data[:size]}
	}
	s.mu.Unlock()
	switch {
	case quiet:
		return "", nil
	case stored:
		return "STORED\r\n", nil
	}
	return "NOT_STORED\r\n", nil
}

// incr executes incr: KEY AMOUNT [noreply]. The counter wraps around at 64 bits, as in memcached.
func (s *store) incr(a []string) (string, error) {
	quiet := len(a) == 3 && a[2] == "noreply"
	if len(a) != 2 && !quiet {
		return "", errFormat
	}
	by, err := strconv.ParseUint(a[1], 10, 64)
	if err != nil {
		return "", errors.New("CLIENT_ERROR invalid numeric delta argument")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	it, ok := s.items[a[0]]
	if !ok {
		if quiet {
			return "", nil
		}
		return "NOT_FOUND\r\n", nil
	}
	n, err := strconv.ParseUint(string(it.value), 10, 64)
	if err != nil {
		return "", errNumber
	}
	text := strconv.FormatUint(n+by, 10)
	s.items[a[0]] = item{it.flags, []byte(text)}
	if quiet {
		return "", nil
	}
	return text + "\r\n", nil
}
