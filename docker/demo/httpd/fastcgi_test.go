package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestProxy uses Go's own FastCGI server, like the demo's application.
func TestProxy(t *testing.T) {
	l, err := net.Listen("unix", t.TempDir()+"/app.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", fmt.Sprint(r.Method, " ", r.URL.RequestURI(), " ", r.Host, " ", r.Header.Get("X-Long") != ""))
		w.Write(body)
	}))
	s := httptest.NewServer(proxy(l.Addr().String()))
	defer s.Close()

	// More than one record each way, and a header that needs a long length.
	big := bytes.Repeat([]byte("0123456789abcdef"), 10_000)
	r, _ := http.NewRequest("POST", s.URL+"/some/path?q=1", bytes.NewReader(big))
	r.Host = "demo"
	r.Header.Set("X-Long", strings.Repeat("x", 300))
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err != nil || !bytes.Equal(got, big) {
		t.Errorf("%d bytes came back of %d: %v", len(got), len(big), err)
	}
	if seen := a.Header.Get("X-Seen"); a.StatusCode != 200 || seen != "POST /some/path?q=1 demo true" {
		t.Errorf("status %d, the program saw %q", a.StatusCode, seen)
	}

	w := httptest.NewRecorder()
	proxy(l.Addr().String()).ServeHTTP(w, httptest.NewRequest("GET", "/busy", nil))
	if w.Code != http.StatusServiceUnavailable || w.Body.String() != "busy\n" {
		t.Errorf("busy: %d %q", w.Code, w.Body)
	}
}

func TestProxyWithoutProgram(t *testing.T) {
	w := httptest.NewRecorder()
	proxy(t.TempDir()+"/no.sock").ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusBadGateway {
		t.Errorf("status %d", w.Code)
	}
}

func TestBadAnswers(t *testing.T) {
	for _, answer := range []string{"", "no header", "Status: many\r\n\r\n", "Status: 9\r\n\r\n"} {
		w := httptest.NewRecorder()
		if status, err := respond(w, []byte(answer)); err == nil {
			t.Errorf("%q became status %d", answer, status)
		}
	}
	for _, cut := range []int{0, 7, 8, 12} {
		record := appendRecord(nil, stdout, []byte("hello"))
		if _, err := readAnswer(bytes.NewReader(record[:cut])); err == nil {
			t.Errorf("%d of %d bytes are an answer", cut, len(record))
		}
	}
}
