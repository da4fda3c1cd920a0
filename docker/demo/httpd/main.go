// Httpd is a small web server in front of a FastCGI program, for the demo without a Docker engine and so
// without lighttpd. It forwards every request, and answers 502 while the program cannot be reached. On SIGTERM
// it finishes the requests in progress and exits 0.
//
// The flag -listen takes HOST:PORT; -app takes HOST:PORT, or the path of a Unix socket.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "HTTP `address`")
	app := flag.String("app", "127.0.0.1:9000", "FastCGI `address` of the program")
	flag.Parse()
	log.SetFlags(0)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatalf("unable to listen: %v", err)
	}
	log.Printf("listening on http://%s/, passing on to %s, pid %d", *listen, *app, os.Getpid())

	s := &http.Server{Handler: proxy(*app), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		last, done := context.WithTimeout(context.Background(), time.Second)
		defer done()
		stopped <- s.Shutdown(last)
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		log.Fatalf("unable to serve: %v", err)
	}
	<-stopped
	log.Printf("stopped")
}

// proxy forwards each request to the FastCGI program at address, and logs it.
func proxy(address string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := forward(w, r, address)
		if err != nil {
			status = http.StatusBadGateway
			http.Error(w, "the application cannot be reached", status)
			log.Printf("%s %s %d: %v", r.Method, r.URL.Path, status, err)
			return
		}
		log.Printf("%s %s %d", r.Method, r.URL.Path, status)
	})
}
