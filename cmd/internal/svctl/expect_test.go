package svctl

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/svdir"
)

// claimScanDir makes this process the supervisor of the scan directory dir.
func claimScanDir(t *testing.T, dir string) {
	t.Helper()
	socket, err := svdir.ClaimScanDir(dir)
	must(t, err)
	var stop [2]int
	must(t, unix.Pipe2(stop[:], unix.O_CLOEXEC))
	done := make(chan struct{})
	go func() {
		defer close(done)
		fds := []unix.PollFd{{Fd: int32(socket), Events: unix.POLLIN}, {Fd: int32(stop[0]), Events: unix.POLLIN}}
		for fds[1].Revents == 0 {
			svdir.AcceptClients(socket)
			unix.Poll(fds, -1)
		}
		for _, fd := range []int{socket, stop[0]} {
			unix.Close(fd)
		}
	}()
	t.Cleanup(func() { unix.Close(stop[1]); <-done })
}

// release writes the last record of a service, as after svc -x, and ends its supervision.
func release(t *testing.T, h *svdir.Held) {
	t.Helper()
	last := statusDown
	last.Flags = svdir.FlagReleased
	must(t, h.WriteStatus(last))
	h.Release()
}

// TestNotYet starts tools that wait for a service that is not supervised yet, with every
// place that its state can have.
func TestNotYet(t *testing.T) {
	const run, name = "ok: run: web: (pid 77) ", "web"
	for place, prepare := range map[string]func(root string) (state string){
		"none": func(root string) string { return root + "/scan/web/supervise" },
		"empty": func(root string) string {
			must(t, os.MkdirAll(root+"/scan/web/supervise", 0o755))
			return root + "/scan/web/supervise"
		},
		"stale": func(root string) string {
			makeSupervised(t, root+"/scan/web").Release()
			return root + "/scan/web/supervise"
		},
		"released": func(root string) string { releaseLongAgo(t, root+"/scan/web"); return root + "/scan/web/supervise" },
		"link": func(root string) string {
			must(t, os.Symlink("../../run.web", root+"/scan/web/supervise"))
			return root + "/run.web"
		},
		"fallback": func(root string) string { return root + "/state/web" },
		"fallback there": func(root string) string {
			must(t, os.Mkdir(root+"/state", 0o700))
			return root + "/state/web"
		},
	} {
		for _, tool := range []string{"svwait -u", "svwait -r", "sv -w 20 start", "sv -w 20 restart", "sv -w 20 check"} {
			t.Run(place+" "+tool, func(t *testing.T) {
				t.Parallel()
				root := openDir(t)
				must(t, os.MkdirAll(root+"/scan/web", 0o755))
				claimScanDir(t, root+"/scan")
				state := prepare(root)
				words := strings.Fields(tool)
				w := startTool(t, invocation{tool: words[0], args: append(words[1:], name), dir: root,
					env: []string{"SVINIT_SERVICE_DIR=" + root + "/scan", "SVINIT_STATE_DIR=" + root + "/state"}})
				if strings.HasPrefix(place, "fallback") {
					must(t, os.MkdirAll(root+"/state", 0o700))
				}
				h, err := svdir.Hold(state)
				must(t, err)
				t.Cleanup(h.Release)
				if strings.HasPrefix(place, "fallback") {
					must(t, h.Mark(root+"/scan/web"))
				}
				must(t, h.WriteStatus(statusDown))
				must(t, h.Announce())
				if words[0] == "sv" && words[len(words)-1] != "check" {
					waitFor(t, "the command", func() bool { return readCommands(t, h) != "" })
				}
				must(t, h.WriteStatus(statusRestarted))
				select {
				case <-w.ended:
				case <-time.After(20 * time.Second):
					t.Fatal("it does not exit")
				}
				if code := w.cmd.ProcessState.ExitCode(); code != 0 || w.stderr.Len() > 0 {
					t.Errorf("%d, %s%s", code, w.stdout.String(), w.stderr.String())
				}
				if got := w.stdout.String(); words[0] == "sv" && !strings.HasPrefix(got, run) && !strings.HasPrefix(got, "ok: down: web: ") {
					t.Errorf("stdout %q", got)
				}
			})
		}
	}
}

// releaseLongAgo leaves what a supervisor of an earlier container has left.
func releaseLongAgo(t *testing.T, dir string) {
	release(t, makeSupervised(t, dir))
	past := time.Unix(1700000000, 0)
	must(t, os.Chtimes(dir+"/supervise/status", past, past))
}

// TestNever checks that tools answer at once where nothing will come, and when that
// becomes so while they wait.
func TestNever(t *testing.T) {
	root := openDir(t)
	scan := root + "/scan"
	for _, dir := range []string{"/scan/listed", "/scan/.hidden", "/scan/removed", "/available", "/scan/later/log"} {
		must(t, os.MkdirAll(root+dir, 0o755))
	}
	must(t, os.Symlink("missing", scan+"/dangling"))
	claimScanDir(t, scan)
	release(t, makeSupervised(t, scan+"/gone"))
	env := []string{"SVINIT_SERVICE_DIR=" + scan}
	const noFile, noSupervisor = "file does not exist\n", "supervise not running\n"
	for arg, want := range map[string]string{
		"missing":         "chdir to missing: " + noFile,
		"dangling":        "chdir to dangling: " + noFile,
		"./available":     "wait for ./available: " + noFile,
		scan + "/.hidden": "wait for " + scan + "/.hidden: " + noFile,
		"gone":            "wait for gone: " + noSupervisor,
	} {
		got := runTool(t, invocation{tool: "svwait", args: []string{arg}, dir: root, env: env}.ours())
		if got != (outcome{code: 111, stderr: "svwait: fatal: unable to " + want}) {
			t.Errorf("svwait %s: %+v", arg, got)
		}
	}
	for args, want := range map[string]outcome{
		"start gone":       {code: 1, stdout: "fail: gone: runsv not running\n"},
		"-w0 start listed": {code: 1, stdout: "fail: listed: runsv not running\n"},
		"up listed":        {code: 1, stdout: "warning: listed: unable to open supervise/ok: " + noFile},
		"shutdown gone":    {stdout: "ok: gone: runsv not running\n"},
		"status listed":    {code: 1, stdout: "warning: listed: unable to open supervise/ok: " + noFile},
	} {
		if args == "-w0 start listed" {
			want.stdout = "warning: listed: unable to open supervise/ok: " + noFile
		}
		if got := runTool(t, invocation{tool: "sv", args: strings.Fields(args), dir: root, env: env}.ours()); got != want {
			t.Errorf("sv %s: %+v, want %+v", args, got, want)
		}
	}
	got := runTool(t, invocation{tool: "svwait", args: []string{"-t", "10", "listed", "later/log"}, dir: root, env: env}.ours())
	if got != (outcome{code: 99, stderr: "svwait: timed out waiting for listed later/log\n"}) {
		t.Errorf("%+v", got)
	}

	w := startTool(t, invocation{tool: "svwait", args: []string{"removed"}, dir: root, env: env})
	must(t, os.Rename(scan+"/removed", root+"/removed.off"))
	w.checkExit(t, 111, "svwait: fatal: unable to chdir to removed: "+noFile)

	// Listed anew after its release.
	must(t, os.Rename(scan+"/gone", root+"/gone"))
	must(t, os.Symlink("../gone", scan+"/gone"))
	startTool(t, invocation{tool: "svwait", args: []string{"gone"}, dir: root, env: env})
}

// TestScannerEnds checks that tools that wait for a service notice the end of the
// supervisor of its scan directory.
func TestScannerEnds(t *testing.T) {
	scan := openDir(t)
	must(t, os.MkdirAll(scan+"/web", 0o755))
	scanner := exec.Command("/proc/self/exe")
	scanner.Env = []string{actAsTool + "=scanner", "SVINIT_SERVICE_DIR=" + scan}
	stdin, err := scanner.StdinPipe()
	must(t, err)
	must(t, scanner.Start())
	waitFor(t, "the scanner", func() bool { return svdir.ScanDirSupervisor(scan) == scanner.Process.Pid })
	if _, err := svdir.ClaimScanDir(scan); err == nil {
		t.Error("two supervisors of one scan directory")
	}
	w := startTool(t, invocation{tool: "svwait", args: []string{"web"}, env: []string{"SVINIT_SERVICE_DIR=" + scan}})
	stdin.Close()
	must(t, scanner.Wait())
	w.checkExit(t, 111, "svwait: fatal: unable to wait for web: file does not exist\n")
}
