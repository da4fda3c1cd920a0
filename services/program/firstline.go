package program

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// crlf is what is wrong with a script whose first line the kernel reads with a
// CR in its last word.
const crlf = "ends its first line with CR LF, as Windows does: save it with LF alone"

// FirstLine returns the first line of a file without its newline, 256 bytes at
// most: the kernel does not look further (BINPRM_BUF_SIZE in
// linux/binfmts.h). ok is false when the file cannot be read.
func FirstLine(path string) (line string, ok bool) {
	// With O_NONBLOCK a FIFO, which the file may have become, does not block.
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", false
	}
	defer syscall.Close(fd)
	text := make([]byte, 256)
	n, err := syscall.Read(fd, text)
	if err != nil {
		return "", false
	}
	line, _, _ = strings.Cut(string(text[:n]), "\n")
	return line, true
}

// CheckShebang returns an error when a command was started by the first line of
// a script, and that first line starts svinit under the name called with the
// script as its program: the script would start svinit again, without end. It
// returns nil for any other program.
//
// What the kernel makes of a first line is: the interpreter (called), the rest
// of the line as one word without svinit's own options, and the path of the
// script. A path that was found in PATH contains a slash too.
func CheckShebang(called string, command []string) error {
	if len(command) > 1 && strings.HasPrefix(command[0], "run") && strings.ContainsAny(command[0], " \t\r") {
		command = command[1:]
	}
	if len(command) == 0 || !strings.Contains(command[0], "/") {
		return nil
	}
	return CheckFirstLine(called, command[0])
}

// CheckFirstLine returns an error when the first line of a file names svinit,
// under the name called, as its interpreter, in a way that does not work.
func CheckFirstLine(called, path string) error {
	text, _ := FirstLine(path)
	line, script := strings.CutPrefix(text, "#!")
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' }) // CR is no separator for the kernel
	env := script && len(words) > 0 && filepath.Base(words[0]) == "env"
	if env {
		words = slices.DeleteFunc(words[1:], func(w string) bool { return w == "-S" })
	}
	if !script || len(words) == 0 || filepath.Base(words[0]) != called {
		return nil
	}
	args := words[1:]
	const right = `: it must be "#!/path/svinit run"`
	switch {
	case strings.HasSuffix(line, "\r"):
		return errors.New(path + " " + crlf)
	case !slices.ContainsFunc(args, func(a string) bool { return a[0] != '-' }):
		return errors.New("the first line of " + path + " starts " + called + " with the file as its program, again and again" + right)
	case args[0] == "run" && len(args) > 1 && !env:
		return errors.New("the first line of " + path + " has more behind run" + right)
	}
	return nil
}
