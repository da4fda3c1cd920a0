// App is the application of the demo: a FastCGI program that counts visits in memcached.
//
// It sits behind a web server (lighttpd in the Docker demo, our own httpd in the other one) and answers
//
//	GET /  200  "visit N, counted in the cache, served by app (pid P) behind SERVER"
//	       503  "degraded: the visit counter is unavailable", if the cache does not answer in time
//
// All other paths are 404. It opens a new connection to the cache for each visit, so that it recovers as soon
// as the cache is back. On SIGTERM it accepts no new requests, finishes those in progress and exits 0.
//
// The flags -listen and -cache take HOST:PORT, or the path of a Unix socket.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// drainTimeout bounds how long a stop waits for requests in progress; none takes longer than cacheTimeout.
const drainTimeout = 2 * cacheTimeout

func main() {
	address := flag.String("listen", "127.0.0.1:9000", "FastCGI `address`")
	cache := flag.String("cache", "127.0.0.1:11211", "memcached `address`")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("app: ")

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	l, err := listen(*address)
	if err != nil {
		log.Fatalf("unable to listen: %v", err)
	}
	log.Printf("listening on %s, counting in %s, pid %d", *address, *cache, os.Getpid())

	go func() {
		<-ctx.Done()
		l.Close()
	}()
	err = fcgi.Serve(l, page(*cache))
	if ctx.Err() == nil {
		log.Fatalf("unable to serve: %v", err)
	}
	l.drain(drainTimeout)
	log.Printf("stopped")
}

// page serves the visit's number, or a 503 if the cache does not answer.
func page(cache string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if r.URL.Path != "/" {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		n, err := visit(cache)
		if err != nil {
			log.Printf("degraded: %v", err)
			w.Header().Set("Retry-After", "1")
			http.Error(w, "degraded: the visit counter is unavailable", http.StatusServiceUnavailable)
			return
		}
		server := fcgi.ProcessEnv(r)["SERVER_SOFTWARE"]
		log.Printf("visit %d through %s", n, server)
		fmt.Fprintf(w, "visit %d, counted in the cache, served by app (pid %d) behind %s\n", n, os.Getpid(), server)
	})
}

// network returns the network of an address: "unix" for a path, else "tcp".
func network(address string) string {
	if strings.Contains(address, "/") {
		return "unix"
	}
	return "tcp"
}

// countingListener counts its open connections. fcgi writes the end of a response after the handler has
// returned and then closes the connection, so a stop has to wait for connections, not handlers.
type countingListener struct {
	net.Listener
	open sync.WaitGroup
}

type countedConn struct {
	net.Conn
	closed func()
}

func listen(address string) (*countingListener, error) {
	if network(address) == "unix" {
		// An earlier instance that was killed leaves its socket. No other program listens here.
		os.Remove(address)
	}
	l, err := net.Listen(network(address), address)
	if err != nil {
		return nil, err
	}
	return &countingListener{Listener: l}, nil
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	return countedConn{c, sync.OnceFunc(l.open.Done)}, nil
}

func (c countedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

// drain waits until every connection is closed, for at most d.
func (l *countingListener) drain(d time.Duration) {
	drained := make(chan struct{})
	go func() {
		l.open.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-time.After(d):
	}
}
