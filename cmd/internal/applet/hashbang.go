package applet

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Misled says what is wrong with the script that a command runs when its first
// line has us start, under that name, with the script as our program: then
// the script starts us again, and so on, more and more of us. It says nothing
// of any other program. Of what the kernel makes of a first line the command
// is what stands behind the interpreter, as one word and without our options,
// and the file. What is looked for in PATH comes back here with a slash.
func Misled(name string, command []string) (wrong string) {
	if len(command) > 1 && strings.HasPrefix(command[0], "run") && strings.ContainsAny(command[0], " \t\r") {
		command = command[1:]
	}
	if len(command) == 0 || !strings.Contains(command[0], "/") {
		return ""
	}
	return FirstLine(name, command[0])
}

// FirstLine says what is wrong with the first line of a file that names us, by
// that name, as its interpreter.
func FirstLine(name, file string) (wrong string) {
	line, script := strings.CutPrefix(firstLine(file), "#!")
	words := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' }) // the kernel's, which CR is not
	env := script && len(words) > 0 && filepath.Base(words[0]) == "env"
	if env {
		words = slices.DeleteFunc(words[1:], func(w string) bool { return w == "-S" })
	}
	if !script || len(words) == 0 || filepath.Base(words[0]) != name {
		return ""
	}
	args := words[1:]
	const right = `: it must be "#!/path/svinit run"`
	switch {
	case strings.HasSuffix(line, "\r"):
		return file + " ends its first line with CR LF, as Windows does: save it with LF alone"
	case !slices.ContainsFunc(args, func(a string) bool { return a[0] != '-' }):
		return "the first line of " + file + " starts " + name + " with the file as its program, again and again" + right
	case args[0] == "run" && len(args) > 1 && !env:
		return "the first line of " + file + " has more behind run" + right
	}
	return ""
}

// firstLine reads what the kernel looks at of a file, 256 bytes at most.
func firstLine(file string) string {
	fd, err := syscall.Open(file, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer syscall.Close(fd)
	text := make([]byte, 256)
	n, _ := syscall.Read(fd, text)
	line, _, _ := strings.Cut(string(text[:max(n, 0)]), "\n")
	return line
}
