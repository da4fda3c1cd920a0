package main

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// script is a cache that answers the commands of one connection with the lines given, then closes it.
// An answer of "" is silence until the client gives up.
func script(t *testing.T, answers ...string) (address string, asked chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	asked = make(chan string, 16)
	go func() {
		defer close(asked)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		for _, a := range answers {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "add ") {
				value, _ := in.ReadString('\n')
				line += value
			}
			asked <- strings.ReplaceAll(line, "\r\n", "|")
			if a == "" {
				in.ReadByte()
				return
			}
			c.Write([]byte(a + "\r\n"))
		}
	}()
	return l.Addr().String(), asked
}

func TestVisit(t *testing.T) {
	const incr, add = "incr visits 1|", "add visits 0 0 1|1|"
	for _, tt := range []struct {
		name    string
		answers []string
		asked   []string
		want    uint64
		err     string
	}{
		{"next", []string{"42"}, []string{incr}, 42, ""},
		{"first", []string{"NOT_FOUND", "STORED"}, []string{incr, add}, 1, ""},
		{"another was first", []string{"NOT_FOUND", "NOT_STORED", "2"}, []string{incr, add, incr}, 2, ""},
		{"comes and goes", []string{"NOT_FOUND", "NOT_STORED", "NOT_FOUND", "NOT_STORED"}, []string{incr, add, incr, add}, 0, "comes and goes"},
		{"refuses", []string{"SERVER_ERROR out of memory"}, []string{incr}, 0, "SERVER_ERROR"},
		{"refuses to add", []string{"NOT_FOUND", "SERVER_ERROR out of memory"}, []string{incr, add}, 0, "SERVER_ERROR"},
		{"hangs up", nil, nil, 0, "EOF|reset"},
		{"is silent", []string{""}, []string{incr}, 0, "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address, asked := script(t, tt.answers...)
			n, err := visit(address)
			if n != tt.want || (err == nil) != (tt.err == "") {
				t.Errorf("visit = %d, %v", n, err)
			}
			if err != nil && !containsOne(err.Error(), tt.err) {
				t.Errorf("visit: %v, want an error that says %q", err, tt.err)
			}
			var got []string
			for a := range asked {
				got = append(got, a)
			}
			if strings.Join(got, " ") != strings.Join(tt.asked, " ") {
				t.Errorf("asked %q, want %q", got, tt.asked)
			}
		})
	}
}

func containsOne(s, alternatives string) bool {
	for a := range strings.SplitSeq(alternatives, "|") {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}

func TestPage(t *testing.T) {
	good, _ := script(t, "7")
	gone := t.TempDir() + "/no.sock"
	for _, tt := range []struct {
		path, cache string
		status      int
		body        string
	}{
		{"/", good, http.StatusOK, "visit 7, counted in the cache, "},
		{"/", gone, http.StatusServiceUnavailable, "degraded: the visit counter is unavailable\n"},
		{"/favicon.ico", gone, http.StatusNotFound, "not found\n"},
	} {
		w := httptest.NewRecorder()
		page(tt.cache).ServeHTTP(w, httptest.NewRequest("GET", tt.path, nil))
		if w.Code != tt.status || !strings.HasPrefix(w.Body.String(), tt.body) {
			t.Errorf("GET %s = %d %q", tt.path, w.Code, w.Body)
		}
		if retry := w.Header().Get("Retry-After"); (retry != "") != (tt.status == http.StatusServiceUnavailable) {
			t.Errorf("GET %s: Retry-After %q", tt.path, retry)
		}
	}
}
