package svlog

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkSplit is what Mux does with lines between a read and a write: 64 KiB
// of lines of 10 and 100 bytes.
func BenchmarkSplit(b *testing.B) {
	for f, name := range []string{Prefix: "prefix", Raw: "raw"} {
		for _, n := range []int{10, 100} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				null, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					b.Fatal(err)
				}
				defer unix.Close(null)
				m, err := New(Format(f), null, null)
				if err != nil {
					b.Fatal(err)
				}
				defer m.Run()
				defer m.Stop()
				s := &source{origin: origin{service: "memcached"}, format: m.services}
				input := lines(n, readSize)
				b.SetBytes(int64(len(input)))
				b.ReportAllocs()
				for b.Loop() {
					m.split(s, input)
				}
			})
		}
	}
}

// BenchmarkPipe is the whole way from a pipe to /dev/null, in writes of one
// line and of 64 KiB of lines.
func BenchmarkPipe(b *testing.B) {
	for _, n := range []int{10, 100} {
		for _, size := range []int{n, readSize} {
			b.Run(fmt.Sprintf("%d/%d", n, size), func(b *testing.B) {
				null, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					b.Fatal(err)
				}
				defer unix.Close(null)
				m, err := New(Prefix, null, null)
				if err != nil {
					b.Fatal(err)
				}
				w := newPipe(b, m, "memcached", Stdout)
				go m.Run()
				input := string(lines(n, size))
				b.SetBytes(int64(len(input)))
				for b.Loop() {
					write(b, w, input)
				}
				unix.Close(w)
				<-m.Stop()
			})
		}
	}
}

// lines returns as many lines of n bytes, their newlines counted, as fit into
// size.
func lines(n, size int) []byte {
	return []byte(strings.Repeat(strings.Repeat("x", n-1)+"\n", size/n))
}
