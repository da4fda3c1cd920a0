package machine

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"svinit/services/spec"
)

var update = flag.Bool("update", false, "write the golden files")

// The table has no hole, and whoever changes a cell sees it in the golden
// file.
func TestTable(t *testing.T) {
	for st := range StateReleased {
		for ev := range kinds {
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
	seen := make(map[string]Kind)
	for ev := range kinds {
		if other, ok := seen[ev.String()]; ok || ev.String() == "" {
			t.Errorf("event %d is called %q, like event %d", ev, ev, other)
		}
		seen[ev.String()] = ev
	}
}

// Events in any order: the machine knows whether the process runs, nothing
// starts within a second of a start, what was released ends, and no step asks
// for what makes no sense.
func TestMachineAtRandom(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := Machine{Want: WantUp, Finish: spec.Finish{Exists: seed%2 == 0, Timeout: time.Second}}
		m.Stop.KillAfter = time.Duration(seed%3) * time.Second
		now := time.Unix(1e9, 0)
		var lastStart time.Time
		runs, failedSince := false, false
		for n := 0; n < 60 && m.State != StateReleased; n++ {
			now = now.Add(time.Duration(r.IntN(900)) * time.Millisecond)
			ev := Kind(r.IntN(int(Started)))
			if m.State == StateStarting && r.IntN(2) == 0 {
				if ev = Executed; r.IntN(3) == 0 {
					ev, runs, failedSince = StartFailed, false, true
				}
			} else if runs && r.IntN(3) == 0 {
				ev = Exited
			} else if !runs && m.State == StateBackoff && r.IntN(2) == 0 {
				now = m.NotBefore
				if due, ok := m.Deadlines.Due(now); !ok || due.Kind != StartDue {
					t.Fatalf("seed %d: in backoff until %v, and nothing is due then", seed, now)
				}
				ev = StartDue
			}
			effects := m.Step(Event{Kind: ev, Time: now, Signal: syscall.SIGUSR1, Unread: r.IntN(3)})
			if ev == Exited {
				runs = false
			}
			if effects.Has(ReportImpossible) {
				t.Fatalf("seed %d: %v is impossible while %v", seed, ev, m.State)
			}
			if effects.Has(Send) && !runs {
				t.Fatalf("seed %d: %v sends %v to nobody", seed, ev, effects.All())
			}
			for i, x := range effects.All() {
				if x.Kind == Launch && i != len(effects.All())-1 {
					t.Fatalf("seed %d: %v does something after the launch: %v", seed, ev, effects.All())
				}
			}
			if effects.Has(Launch) {
				if runs {
					t.Fatalf("seed %d: %v starts a second process", seed, ev)
				}
				if ev != Changed && ev != Up && now.Before(lastStart.Add(MinLife)) && !failedSince {
					t.Fatalf("seed %d: %v starts %v after the last start", seed, ev, now.Sub(lastStart))
				}
				if r.IntN(4) == 0 {
					m.Step(StartFailed.At(now))
				} else {
					lastStart, runs, failedSince = now, true, false
					m.Step(Started.At(now))
				}
			}
			for m.State == StateFinishing && r.IntN(2) == 0 {
				now = now.Add(time.Duration(r.IntN(900)) * time.Millisecond)
				if effects := m.Step(Event{Kind: []Kind{Finished, FinishFailed}[r.IntN(2)], Time: now, Status: 125 << 8 * syscall.WaitStatus(r.IntN(2))}); effects.Has(Launch) {
					if lastStart, runs, failedSince = now, true, false; now.Before(m.NotBefore) {
						t.Fatalf("seed %d: starts too soon after finish", seed)
					}
					m.Step(Started.At(now))
				}
			}
			if runs != (m.State == StateUp || m.State == StateStarting) {
				t.Fatalf("seed %d: after %v it is %v, and that it runs is %v", seed, ev, m.State, runs)
			}
			if (m.State == StateBackoff) != !m.Deadlines[StartDeadline].IsZero() ||
				m.State != StateStarting && m.State != StateLaunching && !m.Deadlines[ExecDeadline].IsZero() ||
				m.State != StateStarting && m.State != StateUp && !m.Deadlines[KillDeadline].IsZero() ||
				m.State != StateFinishing && !m.Deadlines[FinishDeadline].IsZero() {
				t.Fatalf("seed %d: after %v it is %v, and the deadlines are %v", seed, ev, m.State, m.Deadlines)
			}
			if m.ReleaseWhenDown && !runs && m.State != StateReleased && m.State != StateFinishing && !m.Draining {
				t.Fatalf("seed %d: after %v it is to be released and is %v", seed, ev, m.State)
			}
		}
	}
}

// Every rule fits into Effects, whatever the machine has been through.
func TestEffectsFit(t *testing.T) {
	for st := range StateReleased {
		for ev := range kinds {
			for bits := range 1 << 6 {
				m := Machine{State: st, Want: Want(bits & 1), ReleaseWhenDown: bits&2 != 0, Draining: bits&4 != 0, Paused: bits&8 != 0, Failures: uint(bits>>4) & 1, Unread: 2 * (bits >> 5)}
				effects := m.Step(Event{Kind: ev, Time: time.Unix(1e9, 0), Signal: syscall.SIGSTOP, Unread: bits & 1})
				if n := len(effects.All()); n > maxEffects {
					t.Errorf("%v while %v: %d effects", ev, st, n)
				}
			}
		}
	}
}
