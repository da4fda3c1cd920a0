package svlog

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkSplit is the way of lines from one read to one write, without the
// two system calls.
func BenchmarkSplit(b *testing.B) {
	for f, name := range []string{Prefix: "prefix", Raw: "raw"} {
		for _, n := range []int{10, 100} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				null, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
				if err != nil {
					b.Fatal(err)
				}
				defer unix.Close(null)
				m, s := newBench(b, Format(f), null)
				input := []byte(strings.Repeat(strings.Repeat("x", n-1)+"\n", readSize/n))
				b.SetBytes(int64(len(input)))
				b.ReportAllocs()
				for b.Loop() {
					m.split(s, input)
				}
			})
		}
	}
}

// newBench returns a Mux that does not run, and a source of it.
func newBench(b *testing.B, f Format, fd int) (*Mux, *source) {
	m, err := New(f, fd, fd)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Stop(); m.Run() })
	return m, &source{service: "memcached", format: m.services}
}
