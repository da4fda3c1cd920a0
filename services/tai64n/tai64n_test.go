package tai64n

import (
	"bytes"
	"encoding/hex"
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"
)

var labels = []struct {
	text string // as tai64n(8) prints it after "@"
	unix int64
	nano int64
}{
	{"400000000000000a00000000", 0, 0},
	{"400000000000000900000000", -1, 0},
	{"4000000000000000075bcd15", -10, 123456789},
	{"3fffffffffffffff3b9ac9ff", -11, 999999999},
	// The example of https://cr.yp.to/libtai/tai64.html, 1992-06-02 08:07:09
	// TAI; without leap seconds it is ten seconds earlier in UTC.
	{"400000002a2b2c2d00000000", 0x2a2b2c2d - 10, 0},
	{"4000000080000009000001f4", math.MaxInt32, 500},
	{"40000001000000092cb41780", math.MaxUint32, 750000000},
}

func TestLabels(t *testing.T) {
	for _, l := range labels {
		packed, err := hex.DecodeString(l.text)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(l.unix, l.nano)
		if got := Append([]byte("x"), at); string(got[:1]) != "x" || !bytes.Equal(got[1:], packed) {
			t.Errorf("Append(%v) = %x, want %s", at, got[1:], l.text)
		}
		if got := Parse(packed); !got.Equal(at) {
			t.Errorf("Parse(%s) = %v, want %v", l.text, got, at)
		}
		if got := AppendText([]byte("x"), at); string(got) != "x@"+l.text || len(got) != 1+TextSize {
			t.Errorf("AppendText(%v) = %q, want %s", at, got, l.text)
		}
		if s, n, size := Digits(l.text + " text"); !Unix(s, n).Equal(at) || size != 2*Size {
			t.Errorf("Digits(%s) = %v, %d digits; want %v", l.text, Unix(s, n), size, at)
		}
	}
}

// TestDigits reads labels that tai64n(8) never writes, as tai64nlocal(8) does.
func TestDigits(t *testing.T) {
	for _, c := range []struct {
		text    string
		seconds uint64
		nanos   uint32
		n       int
	}{
		{"", 0, 0, 0},
		{"\n", 0, 0, 0},
		{"x", 0, 0, 0},
		{"f", 0, 15, 1},
		{"12345678", 0, 0x12345678, 8},
		{"123456789 ", 1, 0x23456789, 9},
		{"400000000000000affffffff", 1<<62 + 10, 0xffffffff, 24},
		{"00400000000000000a00000001", 1<<62 + 10, 1, 26},
		{"ff400000000000000a00000001", 1<<62 + 10, 1, 26},
		{"400000000000000A00000001", 0x4000000, 0, 15},
		{"4000 00000000000a00000001", 0, 0x4000, 4},
		{"4000\x0000", 0, 0x4000, 4},
		{"4000\xff00", 0, 0x4000, 4},
	} {
		seconds, nanos, n := Digits(c.text)
		if seconds != c.seconds || nanos != c.nanos || n != c.n {
			t.Errorf("Digits(%q) = %#x, %#x, %d; want %#x, %#x, %d", c.text, seconds, nanos, n, c.seconds, c.nanos, c.n)
		}
	}
}

// TestLocal compares with what the real tai64nlocal prints for the labels.
func TestLocal(t *testing.T) {
	if _, err := exec.LookPath("tai64nlocal"); err != nil {
		t.Skip("tai64nlocal is missing: apt-get install daemontools")
	}
	var in, want strings.Builder
	for _, l := range labels {
		in.WriteString("@" + l.text + "\n")
		want.WriteString(time.Unix(l.unix, l.nano).UTC().Format("2006-01-02 15:04:05.000000000") + "\n")
	}
	cmd := exec.Command("tai64nlocal")
	cmd.Env = []string{"TZ=UTC"}
	cmd.Stdin = strings.NewReader(in.String())
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want.String() {
		t.Errorf("tai64nlocal:\n%swe:\n%s", got, want.String())
	}
}

// TestNow: the label that the real tai64n writes is between the times before
// and after its run.
func TestNow(t *testing.T) {
	if _, err := exec.LookPath("tai64n"); err != nil {
		t.Skip("tai64n is missing: apt-get install daemontools")
	}
	before := time.Now()
	cmd := exec.Command("tai64n")
	cmd.Stdin = strings.NewReader("x\n")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	after := time.Now()
	packed, err := hex.DecodeString(strings.TrimSuffix(strings.TrimPrefix(string(out), "@"), " x\n"))
	if err != nil || len(packed) != Size {
		t.Fatalf("tai64n printed %q", out)
	}
	// tai64n has the precision of a microsecond, and adds half of one.
	if at := Parse(packed); at.Before(before.Add(-time.Microsecond)) || at.After(after.Add(time.Microsecond)) {
		t.Errorf("label %v, not between %v and %v", at, before, after)
	}
}

func FuzzParse(f *testing.F) {
	for _, l := range labels {
		b, _ := hex.DecodeString(l.text)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < Size {
			return
		}
		at := Parse(b)
		out := Append(nil, at)
		if !Parse(out).Equal(at) {
			t.Errorf("%x: %v, written %x", b, at, out)
		}
		text := AppendText(nil, at)
		if s, n, size := Digits(text[1:]); size != 2*Size || !Unix(s, n).Equal(at) {
			t.Errorf("%v, as text %s", at, text)
		}
		if b[8] < 0x3b && !bytes.Equal(out, b[:Size]) {
			t.Errorf("%x written again: %x", b[:Size], out)
		}
	})
}
