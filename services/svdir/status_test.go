package svdir

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"svinit/services/tai64n"
)

// golden is where the records written by the real supervisors are.
const golden = "../../testdata/status"

// TestGolden reads what the real supervisors wrote, and writes it again.
func TestGolden(t *testing.T) {
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(golden, c.name+".bin"))
			if err != nil {
				t.Fatal(err)
			}
			if len(b) != c.size() {
				t.Fatalf("%d bytes, want %d", len(b), c.size())
			}
			s, err := ParseStatus(b)
			if err != nil {
				t.Fatal(err)
			}
			if y := s.Since.Year(); y < 2024 || y > 2100 {
				t.Errorf("since %v", s.Since)
			}
			if got := s.Append(nil)[:len(b)]; !bytes.Equal(got, b) {
				t.Errorf("written again:\n%x\nwant\n%x", got, b)
			}
			c.check(t, s)
		})
	}
}

func TestAppendLayout(t *testing.T) {
	s := Status{
		Since:      time.Unix(1000, 2),
		PID:        0x01020304,
		Paused:     true,
		Want:       WantDown,
		GotTERM:    true,
		State:      StateFinish,
		Flags:      FlagEnded,
		WaitStatus: 0x0b0c,
		Ready:      time.Unix(1001, 0),
		Restarts:   0x11121314,
	}
	want := []byte{
		0x40, 0, 0, 0, 0, 0, 0x03, 0xf2, 0, 0, 0, 2,
		4, 3, 2, 1, 1, 'd', 1, 2,
		1, 0x0b, 0x0c, 0x40, 0, 0, 0, 0, 0, 0x03, 0xf3, 0x11, 0x12, 0x13, 0x14, 0,
	}
	got := s.Append([]byte("x"))
	if !bytes.Equal(got[1:], want) || got[0] != 'x' || len(want) != StatusSize {
		t.Errorf("Append:\n%x\nwant\n%x", got[1:], want)
	}
	back, err := ParseStatus(want)
	if err != nil || !equal(back, s) {
		t.Errorf("ParseStatus = %+v, %v, want %+v", back, err, s)
	}
}

// TestParseSizes reads records cut to every size that a reader may meet.
func TestParseSizes(t *testing.T) {
	full := Status{
		Since: time.Unix(1, 0), PID: 9, Want: WantUp, GotTERM: true, State: StateFinish,
		Flags: FlagEnded, WaitStatus: 9, Ready: time.Unix(2, 0), Restarts: 3,
	}
	classic := Status{Since: full.Since, PID: 9, Want: WantUp, State: StateRun}
	runit := classic
	runit.GotTERM, runit.State = true, StateFinish
	b := append(full.Append(nil), "and what a later version may add"...)
	for size := range b {
		s, err := ParseStatus(b[:size])
		want := full
		switch {
		case size < 18:
			if err != ErrFormat {
				t.Errorf("%d bytes: error %v", size, err)
			}
			continue
		case size < 20:
			want = classic
		case size < 36:
			want = runit
		}
		if err != nil || !equal(s, want) {
			t.Errorf("%d bytes: %+v, %v, want %+v", size, s, err, want)
		}
	}
	if s, _ := ParseStatus(make([]byte, 18)); s.State != StateDown {
		t.Errorf("state without a process: %v", s.State)
	}
}

func TestAge(t *testing.T) {
	now := time.Unix(1700000000, 0)
	for since, want := range map[time.Time]uint64{
		now:                                  0,
		now.Add(-42*time.Second - 1):         43,
		now.Add(-42 * time.Second):           42,
		now.Add(time.Second):                 0,
		time.Unix(0, 0):                      1700000000,
		tai64n.Unix(0, 0):                    4611686020127387648, // as daemontools has it
		tai64n.Unix(1<<64-1, 0):              0,
		tai64n.Unix(1<<62+1700000010-1, 1e9): 0, // nanoseconds carry
	} {
		if got := (Status{Since: since}).Age(now); got != want {
			t.Errorf("Age since %v = %d, want %d", since, got, want)
		}
	}
}

func TestReadStatus(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "status")
	if _, err := ReadStatus(dir); !os.IsNotExist(err) {
		t.Errorf("no file: %v", err)
	}
	for _, size := range []int{0, 17} {
		write(t, path, string(make([]byte, size)))
		if _, err := ReadStatus(dir); err != ErrFormat {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	os.Remove(path)
	// Nobody writes this one: a reader that waits, waits for ever.
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadStatus(dir); err != ErrFormat {
		t.Errorf("FIFO: %v", err)
	}
	os.Remove(path)
	os.Mkdir(path, 0o700)
	var p *os.PathError
	if _, err := ReadStatus(dir); !asPathError(err, &p) || p.Op != "read" || p.Err != syscall.EISDIR {
		t.Errorf("directory: %v", err)
	}
}

func FuzzParseStatus(f *testing.F) {
	files, err := filepath.Glob(golden + "/*.bin")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden records: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(Status{Since: time.Unix(1, 2), Want: WantUp, Ready: time.Unix(3, 0), Restarts: 4}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseStatus(b)
		if (err != nil) != (len(b) < statusMin) {
			t.Fatalf("%d bytes: error %v", len(b), err)
		}
		if err != nil {
			return
		}
		out := s.Append(nil)
		if len(out) != StatusSize {
			t.Fatalf("%d bytes written", len(out))
		}
		again, err := ParseStatus(out)
		if err != nil || !equal(again, s) {
			t.Fatalf("read again: %+v, %v, want %+v", again, err, s)
		}
		if binary.BigEndian.Uint32(b[8:]) < 1e9 && b[16] <= 1 && !bytes.Equal(out[:statusMin], b[:statusMin]) {
			t.Fatalf("daemontools' part changed:\n%x\n%x", b[:statusMin], out[:statusMin])
		}
		s.appendPID(s.appendStat(nil))
	})
}

func equal(a, b Status) bool {
	same := a.Since.Equal(b.Since) && a.Ready.Equal(b.Ready)
	a.Since, a.Ready, b.Since, b.Ready = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	return same && a == b
}
