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

// matrixRow is a line of testdata/status/matrix.tsv: a status, and the output of the real
// svstat and sv for it when it was 42 seconds old.
type matrixRow struct {
	down       bool // there is a file down
	record     [svdir.StatusSize]byte
	svstat, sv string
}

const rowAge = 42 * time.Second

// readMatrix reads the matrix; the time stamp of each status is since.
func readMatrix(t *testing.T, since time.Time) (rows []matrixRow) {
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
		r := matrixRow{down: f[0] == "1", svstat: f[6], sv: f[7]}
		copy(r.record[:], s.Append(nil))
		rows = append(rows, r)
	}
	if len(rows) != 144 {
		t.Fatalf("matrix: %d rows", len(rows))
	}
	return rows
}

// TestMatrix checks the output of svstat for every status, in the formats of daemontools,
// runit and svinit.
func TestMatrix(t *testing.T) {
	since := time.Unix(1700000000, 987654321)
	for _, r := range readMatrix(t, since) {
		for _, size := range []int{18, 20, svdir.StatusSize} {
			s, err := svdir.ParseStatus(r.record[:size])
			must(t, err)
			got := string(appendStatus([]byte("f: "), s, !r.down, since.Add(rowAge)))
			if got != r.svstat {
				t.Errorf("%d bytes %x: %q, want %q", size, r.record[:size], got, r.svstat)
			}
		}
	}
}

// makeServices makes a supervised service for every row, with a status of that size.
func makeServices(t *testing.T, rows []matrixRow, size int) (root string, names []string) {
	t.Helper()
	root = openDir(t)
	for n, r := range rows {
		name := fmt.Sprintf("f%d", n)
		h := makeSupervised(t, root+"/"+name)
		writeFile(t, h.Path+"/status", string(r.record[:size]))
		if r.down {
			writeFile(t, root+"/"+name+"/down", "")
		}
		names = append(names, name)
	}
	return root, names
}

// TestMatrixAsDaemontools compares the output of both programs for all rows.
func TestMatrixAsDaemontools(t *testing.T) {
	for _, size := range []int{18, 20, svdir.StatusSize} {
		root, names := makeServices(t, readMatrix(t, inTheFuture), size)
		i := invocation{tool: "svstat", args: names, dir: root}
		got, want := runTool(t, i.ours()), runTool(t, i.real(t))
		if got != want || strings.Count(got.stdout, "\n") != len(names) {
			t.Errorf("%d bytes:\n%+v\nwant\n%+v", size, got, want)
		}
	}
}

// TestMatrixForSv checks that the real sv reads our longer status.
func TestMatrixForSv(t *testing.T) {
	sv := lookPath(t, "sv", "runit")
	all := readMatrix(t, time.Now().Add(-rowAge))
	root, names := makeServices(t, all, svdir.StatusSize)
	for n := range names {
		names[n] = "./" + names[n]
	}
	cmd := exec.Command(sv, append([]string{"status"}, names...)...)
	cmd.Dir = root
	// Ignore the exit code, which is the number of failures.
	out, _ := cmd.Output()
	lines := bytes.Split(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
	if len(lines) != len(names) {
		t.Fatalf("sv status:\n%s", out)
	}
	age := regexp.MustCompile(`\b[45][0-9]s`) // sv may start late
	for n, line := range lines {
		got := age.ReplaceAllString(string(line), "42s")
		if want := strings.Replace(all[n].sv, "./f:", names[n]+":", 1); got != want {
			t.Errorf("%x: %q, want %q", all[n].record, got, want)
		}
	}
}
