package main

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// fakeCache answers the commands of one connection with these responses, then closes it. For the response ""
// it sends nothing and waits until the client closes the connection.
func fakeCache(t *testing.T, responses ...string) (address string, requests chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	requests = make(chan string, 16)
	go func() {
		defer close(requests)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		for _, response := range responses {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, "add ") {
				value, _ := in.ReadString('\n')
				line += value
			}
			requests <- strings.ReplaceAll(line, "\r\n", "|")
			if response == "" {
				in.ReadByte()
				return
			}
			c.Write([]byte(response + "\r\n"))
		}
	}()
	return l.Addr().String(), requests
}

func TestVisit(t *testing.T) {
	const incr, add = "incr visits 1|", "add visits 0 0 1|1|"
	for _, tt := range []struct {
		name      string
		responses []string
		requests  []string
		want      uint64
		err       string
	}{
		{"next", []string{"42"}, []string{incr}, 42, ""},
		{"first", []string{"NOT_FOUND", "STORED"}, []string{incr, add}, 1, ""},
		{"another visit was first", []string{"NOT_FOUND", "NOT_STORED", "2"}, []string{incr, add, incr}, 2, ""},
		{"appears and disappears", []string{"NOT_FOUND", "NOT_STORED", "NOT_FOUND", "NOT_STORED"}, []string{incr, add, incr, add}, 0, "appears and disappears"},
		{"error", []string{"SERVER_ERROR out of memory"}, []string{incr}, 0, "SERVER_ERROR"},
		{"error of add", []string{"NOT_FOUND", "SERVER_ERROR out of memory"}, []string{incr, add}, 0, "SERVER_ERROR"},
		{"closed connection", nil, nil, 0, "EOF|reset"},
		{"no response", []string{""}, []string{incr}, 0, "timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address, requests := fakeCache(t, tt.responses...)
			n, err := visit(address)
			if n != tt.want || (err == nil) != (tt.err == "") {
				t.Errorf("visit = %d, %v", n, err)
			}
			if err != nil && !containsOne(err.Error(), tt.err) {
				t.Errorf("visit: %v, want an error that contains %q", err, tt.err)
			}
			var got []string
			for r := range requests {
				got = append(got, r)
			}
			if strings.Join(got, " ") != strings.Join(tt.requests, " ") {
				t.Errorf("requests %q, want %q", got, tt.requests)
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
	good, _ := fakeCache(t, "7")
	missing := t.TempDir() + "/no.sock"
	for _, tt := range []struct {
		path, cache string
		status      int
		body        string
	}{
		{"/", good, http.StatusOK, "visit 7, counted in the cache, "},
		{"/", missing, http.StatusServiceUnavailable, "degraded: the visit counter is unavailable\n"},
		{"/favicon.ico", missing, http.StatusNotFound, "not found\n"},
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
