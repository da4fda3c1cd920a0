package graph

import (
	"math/rand/v2"
	"testing"
)

// benchGraph returns n services, each of which needs up to 10 before it.
func benchGraph(n int) (needs [][]string) {
	r := rand.New(rand.NewPCG(1, 2))
	needs = make([][]string, n)
	for i := range needs {
		for range min(i, 10) {
			needs[i] = append(needs[i], name(r.IntN(i)))
		}
	}
	return needs
}

// boot adds the services and starts them all.
func boot(b *testing.B, needs [][]string) *Graph {
	g := new(Graph)
	for i, list := range needs {
		g.Put(name(i), list)
	}
	started := 0
	for start, _ := g.Next(); len(start) > 0; start, _ = g.Next() {
		for _, name := range start {
			g.Set(name, Up)
		}
		for _, name := range start {
			g.Set(name, Ready)
			started++
		}
	}
	if started != len(needs) {
		b.Fatalf("%d of %d started", started, len(needs))
	}
	return g
}

// BenchmarkLife starts and stops services, asking after each event.
func BenchmarkLife(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		needs := benchGraph(n)
		b.Run(name(n)[1:], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g := boot(b, needs)
				g.Stop()
				_, queue := g.Next()
				for ; len(queue) > 0; queue = queue[1:] {
					g.Set(queue[0], Down)
					_, stop := g.Next()
					queue = append(queue, stop...)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/service")
		})
	}
}

// BenchmarkRestart is the death and return of what much needs.
func BenchmarkRestart(b *testing.B) {
	g := boot(b, benchGraph(1000))
	for b.Loop() {
		g.Set(name(0), Up)
		g.Next()
		g.Set(name(0), Ready)
		g.Next()
	}
}

// BenchmarkChange changes what a service of 1,000 needs and asks.
func BenchmarkChange(b *testing.B) {
	g := boot(b, benchGraph(1000))
	for i := 0; b.Loop(); i++ {
		g.Put(name(500), []string{name(i % 500)})
		g.Next()
	}
}

// BenchmarkAdd adds a service to 1,000, asks and removes it.
func BenchmarkAdd(b *testing.B) {
	g := boot(b, benchGraph(1000))
	for b.Loop() {
		g.Put("new", []string{name(1), name(999)})
		g.Next()
		g.Remove("new")
		g.Next()
	}
}
