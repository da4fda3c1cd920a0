package scan

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"svinit/services/epoll"
	"svinit/services/spec"
)

// fakeSet applies Changes as a Set does, without any process.
type fakeSet struct {
	t        *testing.T
	tree     *tree
	scanner  *Scanner
	poll     *epoll.Set
	services map[spec.Identity]*fakeService
	started  map[spec.Identity]bool // services that must stay though run is no longer valid
}

type fakeService struct {
	spec.Source
	main, logger, leaving bool
}

func newFakeSet(t *testing.T, w *tree) *fakeSet {
	poll, err := epoll.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(poll.Close)
	return &fakeSet{
		t:        t,
		tree:     w,
		scanner:  New(w.scan, poll, nil),
		poll:     poll,
		services: make(map[spec.Identity]*fakeService),
		started:  make(map[spec.Identity]bool),
	}
}

func (f *fakeSet) errorf(format string, args ...any) {
	f.t.Helper()
	f.t.Fatalf("%s\nafter\n\t%s", fmt.Sprintf(format, args...), strings.Join(f.tree.done, "\n\t"))
}

// apply applies a change, and checks that it fits to what is known.
func (f *fakeSet) apply(c Change) {
	svc := f.services[c.ID]
	switch c.Kind {
	case Added:
		for _, other := range f.services {
			if other.Name == c.Name {
				f.errorf("%s is added twice", c.Name)
			}
		}
		if svc != nil || !strings.HasPrefix(c.Dir, "/") {
			f.errorf("added: %+v, known: %+v", c, svc)
		}
		f.services[c.ID] = &fakeService{Source: c.Source, main: true, logger: c.Logger}
	case Changed, Renamed, Removed, Acquire:
		if svc == nil || svc.leaving {
			f.errorf("change %+v of %+v", c, svc)
		}
		switch c.Kind {
		case Changed:
			svc.logger = svc.logger || c.Logger
		case Renamed:
			svc.Source = c.Source
		case Removed:
			svc.leaving = true
		case Acquire:
			if c.Main == svc.main {
				f.errorf("acquire %+v of %+v", c, svc)
			}
			svc.main = svc.main || c.Main
		}
	case Returned:
		// It may be Gone already, if that was reported and not yet handled.
		if svc != nil && !svc.leaving {
			f.errorf("%s has returned and was never removed", svc.Name)
		}
	case Invalid:
		if c.Err == nil || c.Name == "" {
			f.errorf("invalid: %+v", c)
		}
	case InvalidLogger, Unreadable:
	default:
		f.errorf("%+v", c)
	}
}

// drive has the scanner handle everything that has happened. inotify events are
// there as soon as an operation has returned. What the scanner wants to look at
// again later it looks at now.
func (f *fakeSet) drive() {
	for range 100 {
		f.poll.Poll()
		select {
		case <-f.scanner.wakeup:
			f.scanner.answer()
			continue
		default:
		}
		if len(f.scanner.calls) > 0 {
			<-f.scanner.wakeup // a call that took long
			f.scanner.answer()
			continue
		}
		if !f.scanner.recheck.Stop() {
			return
		}
		f.scanner.recheckAll()
	}
	f.errorf("the scanner does not come to rest")
}

// end ends services that were removed.
func (f *fakeSet) end() (ended bool) {
	for id, svc := range f.services {
		if svc.leaving {
			delete(f.services, id)
			f.scanner.Report(id, Gone)
			ended = true
		}
	}
	return ended
}

// note updates started.
func (f *fakeSet) note() {
	_, listed := f.tree.listed()
	for id := range f.started {
		if svc := f.services[id]; listed[id] == nil || svc == nil || svc.leaving {
			delete(f.started, id)
		}
	}
	for id, svc := range f.services {
		if !svc.leaving {
			f.started[id] = true
		}
	}
}

// check compares, when no service is leaving, with what the directory says.
func (f *fakeSet) check() {
	f.t.Helper()
	names, listed := f.tree.listed()
	for id, svc := range f.services {
		if names[svc.Name] != id {
			f.errorf("%s does not lead to its service", svc.Name)
		}
		if now, _, _, err := identify(svc.Dir); err != nil || now != id {
			f.errorf("%s of service %s is another directory: %v", svc.Dir, svc.Name, err)
		}
		if _, err := os.Lstat(svc.Dir + "/log/run"); err == nil && !svc.logger {
			f.errorf("%s has a logger that was not reported", svc.Name)
		}
	}
	for id, names := range listed {
		valid := executable(f.tree.scan + "/" + names[0] + "/run")
		if svc := f.services[id]; (svc != nil) != (valid || f.started[id]) {
			f.errorf("%v: reported %v, valid %v, reported before %v", names, svc != nil, valid, f.started[id])
		}
	}
	for name, id := range names {
		_, invalid := f.scanner.invalid[name]
		if running := f.services[id] != nil; invalid == running {
			f.errorf("%s: reported %v, invalid %v; %v %+v", name, running, invalid, id, f.scanner.watch.ids)
		}
		if reason, ok := f.scanner.invalid[name]; ok && reason == "" {
			f.errorf("%s is invalid, and the reason was never reported", name)
		}
	}
	for name := range f.scanner.invalid {
		if _, ok := names[name]; !ok {
			f.errorf("%s is not listed, and invalid", name)
		}
	}
	for name, e := range f.scanner.entries {
		if f.services[e.id] == nil || e.name != name || f.scanner.byID[e.id] != e {
			f.errorf("entry %s is not what was reported", name)
		}
	}
}

// What was reported is what the directory says, whatever happens to it.
func TestDifferences(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	for seed := range uint64(rounds) {
		w := newTree(t, seed)
		f := newFakeSet(t, w)
		f.scanner.send = f.apply
		for range 3 {
			w.change()
		}
		f.scanner.openWatch()
		if f.scanner.watch == nil {
			t.Skip("no inotify")
		}
		f.scanner.scan(true)
		for range 60 {
			for range 1 + w.rand.IntN(3) {
				w.change()
			}
			f.step()
		}
		f.scanner.close()
	}
}

// step handles what has happened, and sometimes releases or ends a service.
func (f *fakeSet) step() {
	switch f.tree.rand.IntN(4) {
	case 0:
		for id, svc := range f.services {
			if svc.main && !svc.leaving {
				svc.main = false
				f.scanner.Report(id, MainReleased)
			}
			break
		}
	case 1:
		f.drive()
		return // what is leaving goes on leaving
	}
	f.drive()
	f.note()
	for f.end() {
		f.drive()
	}
	f.check()
	f.note()
	if f.tree.rand.IntN(4) == 0 {
		f.scanner.Rescan()
		f.drive()
		for _, svc := range f.services {
			if !svc.leaving && !svc.main && executable(svc.Dir+"/run") {
				f.errorf("%s was not acquired", svc.Name)
			}
		}
	}
}

// The same with a Scanner that runs while things happen. In the end it knows
// what the directory says.
func TestRunDifferences(t *testing.T) {
	for seed := range uint64(5) {
		w := newTree(t, seed)
		f := newFakeSet(t, w)
		go func() {
			for f.poll.Wait() == nil {
			}
		}()
		ended := make(chan struct{})
		go func() {
			f.scanner.Run()
			close(ended)
		}()
		changes := make(chan struct{})
		go func() {
			defer close(changes)
			for range 300 {
				w.change()
			}
		}()
		deadline := time.After(20 * time.Second)
		for quiet := false; !quiet || !f.same(); {
			select {
			case c := <-f.scanner.Changes():
				f.apply(c)
				f.end()
			case <-changes:
				quiet, changes = true, nil
			case <-deadline:
				f.errorf("the services are %v", f.services)
			}
		}
		f.scanner.Stop()
		<-ended
	}
}

// same reports whether all valid entries are services, and all services are
// listed.
func (f *fakeSet) same() bool {
	names, listed := f.tree.listed()
	for id, svc := range f.services {
		if names[svc.Name] != id {
			return false
		}
	}
	for id, names := range listed {
		if f.services[id] == nil && executable(f.tree.scan+"/"+names[0]+"/run") {
			return false
		}
	}
	return true
}
