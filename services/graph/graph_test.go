package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// build makes a graph from lines "NAME: NEEDS", or "NAME = CONTENTS" for a
// bundle.
func build(lines ...string) *Graph {
	g := new(Graph)
	for _, line := range lines {
		if name, contents, ok := strings.Cut(line, " ="); ok {
			g.PutBundle(name, strings.Fields(contents))
			continue
		}
		name, needs, _ := strings.Cut(line, ":")
		g.Put(name, strings.Fields(needs))
	}
	return g
}

// steps sets states, each "NAME STATE", and returns after each what may start
// and stop: "+NAME" and "-NAME".
func steps(g *Graph, list ...string) (got []string) {
	states := map[string]State{"down": Down, "up": Up, "ready": Ready, "given-up": GivenUp}
	for _, step := range list {
		name, state, _ := strings.Cut(step, " ")
		if step == "stop" {
			g.Stop()
		} else if s, ok := states[state]; ok {
			g.Set(name, s)
		}
		start, stop := g.Next()
		var words []string
		for _, name := range start {
			words = append(words, "+"+name)
		}
		for _, name := range stop {
			words = append(words, "-"+name)
		}
		got = append(got, strings.Join(append([]string{step + ":"}, words...), " "))
	}
	return got
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOrder(t *testing.T) {
	g := build("db:", "cache:", "php: db cache", "back = php", "web: back", "cron:")
	expect(t, steps(g, "begin", "db up", "cache up", "cron up", "db ready", "cache ready", "php up", "php ready", "web up",
		"stop", "cron down", "cache down", "web down", "php down", "db down"),
		"begin: +cache +cron +db", "db up:", "cache up:", "cron up:", "db ready:", "cache ready: +php", "php up:", "php ready: +web", "web up:",
		"stop: -cron -web", "cron down:", "cache down:", "web down: -php", "php down: -db", "db down:")
}

// TestReadyNowOrLater loses readiness: this neither stops nor delays what has
// started, and what has not started goes on waiting.
func TestReadyNowOrLater(t *testing.T) {
	g := build("db:", "queue:", "web: db", "worker: db queue")
	expect(t, steps(g, "begin", "db up", "queue up", "db ready", "web up", "web ready", "db up", "queue ready", "db down", "db up", "db ready"),
		"begin: +db +queue", "db up:", "queue up:", "db ready: +web", "web up:", "web ready:", "db up:", "queue ready:", "db down: +db", "db up:", "db ready: +worker")
	if ok, _ := g.MayStart("web"); !ok {
		t.Error("web may not restart")
	}
	g.Set("db", Up)
	if ok, _ := g.MayStart("web"); !ok {
		t.Error("web may not restart while db is not ready")
	}
	if ok, waits := g.MayStart("worker"); ok || fmt.Sprint(waits) != "[db is not ready]" {
		t.Error("worker:", ok, waits)
	}
}

// TestStopDuringStart stops between the order to start and the readiness of
// what was started.
func TestStopDuringStart(t *testing.T) {
	g := build("db:", "php: db", "web: php")
	expect(t, steps(g, "begin", "db up", "db ready", "php up", "stop", "php ready", "php down", "db down"),
		"begin: +db", "db up:", "db ready: +php", "php up:", "stop: -php", "php ready:", "php down: -db", "db down:")
	if ok, waits := g.MayStart("web"); ok || waits != nil {
		t.Error("after the stop web may start:", ok, waits)
	}
}

// TestStopThroughDown keeps the order of two services although what is
// between them has died.
func TestStopThroughDown(t *testing.T) {
	g := build("db:", "php: db", "back = php", "web: back")
	steps(g, "db up", "db ready", "php up", "php ready", "web up", "php given-up")
	if ok, running := g.MayStop("db"); ok || !slices.Equal(running, []string{"web"}) {
		t.Error("db:", ok, running)
	}
	expect(t, steps(g, "stop", "web down", "db down"), "stop: -web", "web down: -db", "db down:")
}

func TestWhoWaits(t *testing.T) {
	g := build("db:", "old:", "php: db old nosuch", "loop: loop", "a: b", "b: a", "back = php db", "web: back loop", "log: db", "x: a")
	steps(g, "db up", "old up", "old given-up")
	for name, want := range map[string]string{
		"php":    "[db is not ready nosuch does not exist old was given up]",
		"web":    "[db is not ready loop is part of a cycle php is down]",
		"a":      "[b is part of a cycle]",
		"loop":   "[loop is part of a cycle]",
		"x":      "[a is part of a cycle]",
		"nobody": "[nobody does not exist]",
	} {
		if ok, waits := g.MayStart(name); ok || fmt.Sprint(waits) != want {
			t.Errorf("MayStart(%s) is %v %v, want %s", name, ok, waits, want)
		}
	}
	for name, want := range map[string]string{"nosuch": "[php web]", "old": "[php web]", "db": "[log php web]", "b": "[a x]", "web": "[]", "nobody": "[]"} {
		if got := fmt.Sprint(g.Waiting(name)); got != want {
			t.Errorf("Waiting(%s) is %s, want %s", name, got, want)
		}
	}
	if got := fmt.Sprint(g.Absent()); got != "[{nosuch [php]}]" {
		t.Error("Absent:", got)
	}
}

func TestCycles(t *testing.T) {
	tests := []struct {
		lines []string
		want  string
	}{
		{[]string{"a: b", "b:"}, "[]"},
		{[]string{"a: a"}, "[a needs a]"},
		{[]string{"c: a", "b: c", "a: b"}, "[a needs b needs c needs a]"},
		{[]string{"a: b", "b: c a", "c: d", "d: a", "e: a", "f:", "c: f d"}, "[a needs b needs a]"},
		{[]string{"all = web db", "db: all", "web:"}, "[all contains db needs all]"},
		{[]string{"y: z", "z: y", "m: y n", "n: o", "o: m"}, "[m needs n needs o needs m y needs z needs y]"},
		{[]string{"a: b", "b: missing"}, "[]"},
	}
	for _, test := range tests {
		if got := fmt.Sprint(build(test.lines...).Cycles()); got != test.want {
			t.Errorf("%q: %s, want %s", test.lines, got, test.want)
		}
	}
}

// TestCycleWhileRunning makes and breaks a cycle of services that run.
func TestCycleWhileRunning(t *testing.T) {
	g := build("a:", "b: a", "c: b", "base:")
	steps(g, "a up", "a ready", "b up", "b ready", "base up", "base ready")
	g.Put("a", []string{"b", "base"})
	expect(t, steps(g, "changed", "a down"), "changed:", "a down:")
	if ok, waits := g.MayStart("c"); !ok {
		t.Error("b is ready and c waits for", waits)
	}
	if ok, waits := g.MayStart("a"); ok || fmt.Sprint(waits) != "[b is part of a cycle]" {
		t.Error("a:", ok, waits)
	}
	g.Put("b", nil)
	expect(t, steps(g, "repaired", "a up", "stop", "a down"), "repaired: +a", "a up:", "stop: -a", "a down: -b -base")
}

// TestBundleInCycle makes a bundle of services that are ready a member of a
// cycle: it is not ready until the cycle is broken.
func TestBundleInCycle(t *testing.T) {
	g := build("a:", "b:", "all = a b", "web: all")
	steps(g, "a up", "a ready", "b up")
	g.Put("a", []string{"all"})
	expect(t, steps(g, "b ready"), "b ready:")
	if ok, waits := g.MayStart("web"); ok || fmt.Sprint(waits) != "[all is part of a cycle]" {
		t.Error("web:", ok, waits)
	}
	g.Put("a", []string{"b"})
	expect(t, steps(g, "repaired"), "repaired: +web")
}

// TestAddAndRemove adds what was missing, and removes what is needed.
func TestAddAndRemove(t *testing.T) {
	g := build("web: db")
	expect(t, steps(g, "begin"), "begin:")
	g.Put("db", nil)
	expect(t, steps(g, "added", "db up", "db ready", "web up"), "added: +db", "db up:", "db ready: +web", "web up:")
	g.Remove("db")
	g.Put("other", []string{"db"})
	expect(t, steps(g, "removed", "web down"), "removed:", "web down:")
	g.Remove("other")
	g.Remove("web")
	if g.Next(); len(g.nodes) != 0 {
		t.Error("left in the graph:", g.nodes)
	}
}
