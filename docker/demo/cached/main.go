// Cached is a small cache with memcached's text protocol, for the demo without a Docker engine and so without
// memcached. It has the commands get, set, add, incr, version and quit, and values of up to 1 MB. Items never
// expire. On SIGTERM it exits 0.
//
// The flag -listen takes HOST:PORT, or the path of a Unix socket.
package main

import (
	"context"
	"flag"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:11211", "`address`")
	flag.Parse()
	log.SetFlags(0)

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	network := "tcp"
	if strings.Contains(*listen, "/") {
		network = "unix"
		// An earlier instance that was killed leaves its socket. No other program listens here.
		os.Remove(*listen)
	}
	l, err := net.Listen(network, *listen)
	if err != nil {
		log.Fatalf("unable to listen: %v", err)
	}
	log.Printf("listening on %s, pid %d", *listen, os.Getpid())

	go func() {
		<-ctx.Done()
		l.Close()
	}()
	s := newStore()
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			log.Printf("stopped")
			return
		}
		if err != nil {
			log.Fatalf("unable to accept: %v", err)
		}
		go func() {
			defer c.Close()
			s.serve(c)
		}()
	}
}
