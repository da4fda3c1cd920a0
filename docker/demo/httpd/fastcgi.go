package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// A FastCGI record is a header and its content (FastCGI specification 1.0, section 3.3):
//
//	0         1      2            4               6         7
//	| version | type | request id | content length | padding | reserved | content … | padding … |
//
// We send one request per connection, with the ID 1, and no padding.
const (
	headerSize   = 8
	maxContent   = 65535
	beginRequest = 1
	endRequest   = 3
	params       = 4
	stdin        = 5
	stdout       = 6
	responder    = 1
)

const (
	answerTimeout = 5 * time.Second
	maxBody       = 1 << 20
	maxAnswer     = 8 << 20
)

// forward sends the request to the program at address and copies its answer to w. It returns the answer's
// status; with an error, nothing has been written to w.
func forward(w http.ResponseWriter, r *http.Request, address string) (int, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return 0, fmt.Errorf("read the request: %w", err)
	}
	network := "tcp"
	if strings.Contains(address, "/") {
		network = "unix"
	}
	deadline := time.Now().Add(answerTimeout)
	c, err := (&net.Dialer{Deadline: deadline}).DialContext(r.Context(), network, address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.SetDeadline(deadline); err != nil {
		return 0, err
	}
	b := appendRecord(nil, beginRequest, []byte{0, responder, 0, 0, 0, 0, 0, 0})
	b = appendStream(b, params, environment(r, len(body)))
	b = appendStream(b, stdin, body)
	if _, err := c.Write(b); err != nil {
		return 0, fmt.Errorf("send the request: %w", err)
	}
	answer, err := readAnswer(bufio.NewReader(c))
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	return respond(w, answer)
}

func appendRecord(b []byte, kind byte, content []byte) []byte {
	b = append(b, 1, kind, 0, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(content)))
	b = append(b, 0, 0)
	return append(b, content...)
}

// appendStream appends content as records of one type, and the empty record that ends a stream.
func appendStream(b []byte, kind byte, content []byte) []byte {
	for len(content) > 0 {
		n := min(len(content), maxContent)
		b = appendRecord(b, kind, content[:n])
		content = content[n:]
	}
	return appendRecord(b, kind, nil)
}

// environment returns the CGI variables of the request (RFC 3875, section 4.1), each as two lengths, name and
// value.
func environment(r *http.Request, bodySize int) []byte {
	var b []byte
	add := func(name, value string) {
		b = appendLength(b, len(name))
		b = appendLength(b, len(value))
		b = append(append(b, name...), value...)
	}
	add("GATEWAY_INTERFACE", "CGI/1.1")
	add("SERVER_SOFTWARE", "httpd")
	add("SERVER_PROTOCOL", r.Proto)
	add("REQUEST_METHOD", r.Method)
	add("REQUEST_URI", r.URL.RequestURI())
	add("SCRIPT_NAME", r.URL.Path)
	add("QUERY_STRING", r.URL.RawQuery)
	add("HTTP_HOST", r.Host)
	add("REMOTE_ADDR", strings.Trim(r.RemoteAddr[:max(0, strings.LastIndexByte(r.RemoteAddr, ':'))], "[]"))
	if bodySize > 0 {
		add("CONTENT_LENGTH", strconv.Itoa(bodySize))
		add("CONTENT_TYPE", r.Header.Get("Content-Type"))
	}
	for name, values := range r.Header {
		switch name {
		case "Content-Length", "Content-Type":
		case "Proxy": // CVE-2016-5385: it would become HTTP_PROXY.
		default:
			add("HTTP_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_")), strings.Join(values, ", "))
		}
	}
	return b
}

// appendLength appends a length as one byte, or as four with the top bit set if it has more than seven bits.
func appendLength(b []byte, n int) []byte {
	if n < 1<<7 {
		return append(b, byte(n))
	}
	return binary.BigEndian.AppendUint32(b, uint32(n)|1<<31)
}

// readAnswer reads the program's standard output up to the end of the request.
func readAnswer(in io.Reader) ([]byte, error) {
	var answer bytes.Buffer
	var header [headerSize]byte
	for {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return nil, err
		}
		size := int64(binary.BigEndian.Uint16(header[4:]))
		to := io.Writer(io.Discard)
		switch header[1] {
		case endRequest:
			return answer.Bytes(), nil
		case stdout:
			to = &answer
		}
		if _, err := io.CopyN(to, in, size); err != nil {
			return nil, err
		}
		if _, err := io.CopyN(io.Discard, in, int64(header[6])); err != nil {
			return nil, err
		}
		if answer.Len() > maxAnswer {
			return nil, errors.New("too long")
		}
	}
}

// respond turns a CGI answer (header lines, an empty line, the body) into an HTTP response.
func respond(w http.ResponseWriter, answer []byte) (int, error) {
	in := bufio.NewReader(bytes.NewReader(answer))
	head, err := textproto.NewReader(in).ReadMIMEHeader()
	if err != nil {
		return 0, fmt.Errorf("read the answer's header: %w", err)
	}
	status := http.StatusOK
	if s := head.Get("Status"); s != "" {
		number, _, _ := strings.Cut(s, " ")
		if status, err = strconv.Atoi(number); err != nil || status < 200 || status > 599 {
			return 0, fmt.Errorf("read the answer's header: bad status %q", s)
		}
		head.Del("Status")
	}
	for name, values := range head {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	io.Copy(w, in) // An error means that the client has closed the connection: nothing to do.
	return status, nil
}
