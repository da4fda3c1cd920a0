package svlog

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkReader is BenchmarkPipe with a process that reads our output from a
// pipe, as that of a container engine does.
func BenchmarkReader(b *testing.B) {
	for _, c := range []struct {
		name       string
		line, size int
	}{
		{"line", 100, 100},
		{"64KiB", 100, readSize},
		{"long", 20000, readSize},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			cat := exec.Command("dd", "of=/dev/null", "bs=256K", "status=none")
			cat.Stdin = r
			if err := cat.Start(); err != nil {
				b.Fatal(err)
			}
			r.Close()
			m, err := New(Prefix, int(w.Fd()), int(w.Fd()))
			if err != nil {
				b.Fatal(err)
			}
			in := newPipe(b, m, "memcached", Stdout)
			go m.Run()
			input := string(lines(c.line, c.size))
			b.SetBytes(int64(len(input)))
			before := cpu()
			n := 0
			for b.Loop() {
				write(b, in, input)
				n++
			}
			unix.Close(in)
			<-m.Stop()
			b.ReportMetric(float64(cpu()-before)/float64(n*len(input)), "cpu-ns/B")
			w.Close()
			cat.Wait()
		})
	}
}

// cpu returns the processor time of this process in nanoseconds.
func cpu() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}
