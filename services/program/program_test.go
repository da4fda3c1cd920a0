package program

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"svinit/services/svlog"
)

// FuzzRun: whatever is in run, and however its start failed, the reason is one
// line that names the file.
func FuzzRun(f *testing.F) {
	for _, s := range []string{"", "#!", "#!\n", "#! \t\n", "#!/bin/sh\r\n", "#!/none x\n", "\x7fELF", "echo", "#!/\xff\x00\n", strings.Repeat("#!x", 200)} {
		f.Add([]byte(s), uint8(2))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte, errno uint8) {
		if err := os.WriteFile(filepath.Join(dir, "run"), content, 0o755); err != nil {
			t.Fatal(err)
		}
		cause := []error{syscall.ENOENT, syscall.EACCES, syscall.ENOEXEC, syscall.EPERM, syscall.ELIBBAD}[errno%5]
		text := svlog.Printable(ExplainStart(filepath.Join(dir, "run"), cause).Error())
		if text == "" || strings.ContainsAny(text, "\n\r\x00") {
			t.Errorf("%q", text)
		}
		if cause != syscall.ELIBBAD && !strings.Contains(text, dir) {
			t.Errorf("%q does not name the file", text)
		}
	})
}

// TestExplainExec is the files of which execve(2) says less than we can see.
func TestExplainExec(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run")
	for _, c := range []struct {
		content string
		err     error
		why     string
	}{
		{"\xef\xbb\xbf#!/bin/sh\n", syscall.ENOEXEC, " begins with a byte order mark, before its #!: save it as UTF-8 without one"},
		{"echo\n", syscall.ENOEXEC, " has no #! in its first line and is no program of this machine: exec format error"},
		{"echo\n", syscall.ENOENT, " has no #! in its first line, and there is no /bin/sh for it"},
		{"\x7fELF", syscall.ENOENT, ": the loader or a library that it asks for does not exist"},
	} {
		if err := os.WriteFile(path, []byte(c.content), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := ExplainExec(path, c.err).Error(); got != path+c.why {
			t.Errorf("%q, %v\n got %s\nwant %s", c.content, c.err, got, path+c.why)
		}
	}
}
