// App is the application of the demo: a FastCGI program that counts visits in memcached.
//
// It sits behind a web server (lighttpd in the Docker demo, our own httpd in the other one) and answers
//
//	GET /  200  "visit N, counted in the cache, served by app (pid P) behind SERVER"
//	       503  "degraded: the visit counter is unavailable", where the cache does not answer in time
//
// Anything else is a 404. It makes a new connection to the cache for each visit, so that it heals by itself
// as soon as the cache is back. On SIGTERM it takes no new request, ends those that it has and exits 0.
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

// drainTime bounds how long a stop waits for requests under way; none takes longer than cacheTime.
const drainTime = 2 * cacheTime

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "FastCGI `address`")
	cache := flag.String("cache", "127.0.0.1:11211", "memcached `address`")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("app: ")

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	l, err := open(*listen)
	if err != nil {
		log.Fatalf("unable to listen: %v", err)
	}
	log.Printf("listening on %s, counting in %s, pid %d", *listen, *cache, os.Getpid())

	go func() {
		<-ctx.Done()
		l.Close()
	}()
	err = fcgi.Serve(l, page(*cache))
	if ctx.Err() == nil {
		log.Fatalf("unable to serve: %v", err)
	}
	l.drain(drainTime)
	log.Printf("stopped")
}

// page answers with the visit's number, or says that it is degraded.
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

// network tells a Unix socket from HOST:PORT.
func network(address string) string {
	if strings.Contains(address, "/") {
		return "unix"
	}
	return "tcp"
}

// counted is a listener that knows its open connections. fcgi writes the end of an answer after the handler
// has returned and then closes the connection, so that connections, not handlers, are what a stop waits for.
type counted struct {
	net.Listener
	open sync.WaitGroup
}

type countedConn struct {
	net.Conn
	closed func()
}

func open(address string) (*counted, error) {
	if network(address) == "unix" {
		// Left behind by an instance that was killed; ours is the only one that ever listens here.
		os.Remove(address)
	}
	l, err := net.Listen(network(address), address)
	if err != nil {
		return nil, err
	}
	return &counted{Listener: l}, nil
}

func (l *counted) Accept() (net.Conn, error) {
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
func (l *counted) drain(d time.Duration) {
	none := make(chan struct{})
	go func() {
		l.open.Wait()
		close(none)
	}()
	select {
	case <-none:
	case <-time.After(d):
	}
}
