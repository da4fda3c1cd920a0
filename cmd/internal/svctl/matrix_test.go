package svctl

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"svinit/services/svdir"
)

// row is a line of testdata/status/matrix.tsv: a record, and what the real
// svstat and sv said of it when it was 42 seconds old.
type row struct {
	down       bool // there is a file down
	record     [svdir.StatusSize]byte
	svstat, sv string
}

const rowAge = 42 * time.Second

// rows reads the matrix; the records are stamped as if written at since.
func rows(t *testing.T, since time.Time) (rows []row) {
	t.Helper()
	b, err := os.ReadFile("../../../testdata/status/matrix.tsv")
	must(t, err)
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if len(f) != 8 {
			t.Fatalf("matrix: %q", line)
		}
		number := func(s string) int {
			n, err := strconv.Atoi(s)
			must(t, err)
			return n
		}
		want := map[string]svdir.Want{`b'u'`: 'u', `b'd'`: 'd', `b'\x00'`: 0}
		s := svdir.Status{
			Since:   since,
			PID:     number(f[1]),
			Paused:  f[2] == "1",
			Want:    want[f[3]],
			GotTERM: f[4] == "1",
			State:   svdir.State(number(f[5])),
		}
		r := row{down: f[0] == "1", svstat: f[6], sv: f[7]}
		copy(r.record[:], s.Append(nil))
		rows = append(rows, r)
	}
	if len(rows) != 144 {
		t.Fatalf("matrix: %d rows", len(rows))
	}
	return rows
}

// TestMatrix asks for the sentence of every record, as daemontools and runit
// write it, and as we do.
func TestMatrix(t *testing.T) {
	since := time.Unix(1700000000, 987654321)
	for _, r := range rows(t, since) {
		for _, size := range []int{18, 20, svdir.StatusSize} {
			s, err := svdir.ParseStatus(r.record[:size])
			must(t, err)
			got := string(appendSentence([]byte("f: "), s, !r.down, since.Add(rowAge)))
			if got != r.svstat {
				t.Errorf("%d bytes %x: %q, want %q", size, r.record[:size], got, r.svstat)
			}
		}
	}
}

// lay makes a supervised service of every row, with a record of that size.
func lay(t *testing.T, rows []row, size int) (root string, names []string) {
	t.Helper()
	root = openDir(t)
	for n, r := range rows {
		name := fmt.Sprintf("f%d", n)
		h := supervised(t, root+"/"+name)
		put(t, h.Path+"/status", string(r.record[:size]))
		if r.down {
			put(t, root+"/"+name+"/down", "")
		}
		names = append(names, name)
	}
	return root, names
}

// TestMatrixAsDaemontools reads the files of all rows with both programs.
func TestMatrixAsDaemontools(t *testing.T) {
	for _, size := range []int{18, 20, svdir.StatusSize} {
		root, names := lay(t, rows(t, soon), size)
		i := invocation{tool: "svstat", args: names, dir: root}
		got, want := run(t, i.ours()), run(t, i.real(t))
		if got != want || strings.Count(got.stdout, "\n") != len(names) {
			t.Errorf("%d bytes:\n%+v\nwant\n%+v", size, got, want)
		}
	}
}

// TestMatrixForSv has the real sv read our longer records.
func TestMatrixForSv(t *testing.T) {
	sv := lookPath(t, "sv", "runit")
	all := rows(t, time.Now().Add(-rowAge))
	root, names := lay(t, all, svdir.StatusSize)
	for n := range names {
		names[n] = "./" + names[n]
	}
	cmd := exec.Command(sv, append([]string{"status"}, names...)...)
	cmd.Dir = root
	// Its exit code counts services that are not up; the lines are the test.
	out, _ := cmd.Output()
	lines := bytes.Split(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
	if len(lines) != len(names) {
		t.Fatalf("sv status:\n%s", out)
	}
	age := regexp.MustCompile(`\b[45][0-9]s`) // it may take some time until it is asked
	for n, line := range lines {
		got := age.ReplaceAllString(string(line), "42s")
		if want := strings.Replace(all[n].sv, "./f:", names[n]+":", 1); got != want {
			t.Errorf("%x: %q, want %q", all[n].record, got, want)
		}
	}
}
