package services

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

// The table has no hole, and every cell of up, wait and down is looked at by
// whoever changes it: the golden file is its picture.
func TestTable(t *testing.T) {
	for st := range over {
		for ev := range events {
			if r := table[st][ev]; r.name == "" || r.do == nil {
				t.Errorf("table[%v][%v] is a hole", st, ev)
			}
		}
	}
	golden := filepath.Join("testdata", "table.golden")
	got := drawTable()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the table is\n%s\nand testdata/table.golden (go test -update) has\n%s", got, want)
	}
}

func TestEveryEventHasAName(t *testing.T) {
	seen := make(map[string]event)
	for ev := range events {
		if other, ok := seen[ev.String()]; ok || ev.String() == "" {
			t.Errorf("event %d is called %q, like event %d", ev, ev, other)
		}
		seen[ev.String()] = ev
	}
}

// Whatever happens in whatever order: what runs is known to run, nothing
// starts within a second of a start, what was let go ends, and no step asks
// for what makes no sense.
func TestMachineAtRandom(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := machine{want: wantUp}
		now := time.Unix(1e9, 0)
		var lastStart time.Time
		runs := false
		for n := 0; n < 60 && m.state != over; n++ {
			now = now.Add(time.Duration(r.IntN(900)) * time.Millisecond)
			ev := event(r.IntN(int(started)))
			if runs && r.IntN(3) == 0 {
				ev = died
			} else if !runs && m.state == wait && r.IntN(2) == 0 {
				now = m.notBefore
				ev = due
			}
			m.step(ev, input{now: now, sig: syscall.SIGUSR1, unread: r.IntN(3)})
			if ev == died {
				runs = false
			}
			if m.todo&doImpossible != 0 {
				t.Fatalf("seed %d: %v is impossible while %v", seed, ev, m.state)
			}
			if len(m.signals) > 0 && !runs {
				t.Fatalf("seed %d: %v sends %v to nobody", seed, ev, m.signals)
			}
			if m.todo&doLaunch != 0 {
				if runs {
					t.Fatalf("seed %d: %v starts a second process", seed, ev)
				}
				if ev != askChanged && ev != cmdUp && now.Before(lastStart.Add(minLife)) {
					t.Fatalf("seed %d: %v starts %v after the last start", seed, ev, now.Sub(lastStart))
				}
				if r.IntN(4) == 0 {
					m.step(failed, input{now: now})
				} else {
					lastStart, runs = now, true
					m.step(started, input{now: now})
				}
			}
			if runs != (m.state == up) {
				t.Fatalf("seed %d: after %v it is %v, and that it runs is %v", seed, ev, m.state, runs)
			}
			if m.letGo && !runs && m.state != over && !m.draining {
				t.Fatalf("seed %d: after %v it was let go and is %v", seed, ev, m.state)
			}
		}
	}
}
