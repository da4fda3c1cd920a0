package program

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxInterpreters is how many interpreters one after the other execve(2) looks
// at (exec_binprm in fs/exec.c of Linux).
const maxInterpreters = 5

// Check says why the program at path cannot be executed in the directory dir,
// as far as that can be seen without executing it; list has the form of PATH.
// The error names the file and the remedy. It finds what [ExplainExec] explains.
func Check(path, dir, list string) error {
	for range maxInterpreters {
		if err := CheckExecutable(path); err != nil {
			return err
		}
		line, ok := FirstLine(path)
		if !ok {
			return nil // executable and not readable
		}
		interpreter, err := interpreterOf(path, line)
		if interpreter == "" || err != nil {
			return err
		}
		if !filepath.IsAbs(interpreter) {
			interpreter = filepath.Join(dir, interpreter)
		}
		what := "interpreter"
		if !strings.HasPrefix(line, "#!") {
			what = "loader"
		}
		if err := checkInterpreter(path, what, interpreter); err != nil {
			return err
		}
		if err := checkEnv(path, line, list); err != nil {
			return err
		}
		if !strings.HasPrefix(line, "#!") {
			return nil
		}
		path = interpreter
	}
	return nil
}

// interpreterOf returns what the kernel executes in place of a file that begins
// with line: the interpreter of a script, the loader of an ELF file, or "".
func interpreterOf(path, line string) (string, error) {
	script, isScript := strings.CutPrefix(line, "#!")
	switch {
	case strings.HasPrefix(line, "\x7fELF"):
		return loaderOf(path), nil
	case strings.HasPrefix(line, "\xef\xbb\xbf#!"):
		return "", fmt.Errorf("%s begins with a byte order mark, before its #!: save it as UTF-8 without one", path)
	case !isScript:
		return "", fmt.Errorf("%s has no #! in its first line and is no program: begin it with #!/bin/sh", path)
	case strings.HasSuffix(line, "\r"):
		return "", fmt.Errorf("%s %s", path, crlf)
	}
	fields := strings.Fields(script)
	if len(fields) == 0 {
		return "", fmt.Errorf("%s has no interpreter after the #! of its first line", path)
	}
	return fields[0], nil
}

// checkInterpreter looks at the interpreter or the loader of the file at path.
func checkInterpreter(path, what, interpreter string) error {
	err := CheckExecutable(interpreter)
	if err == nil {
		return nil
	}
	if _, serr := os.Stat(interpreter); errors.Is(serr, syscall.ENOENT) {
		return fmt.Errorf("%s: its %s %s does not exist", path, what, interpreter)
	}
	return fmt.Errorf("%s: its %s cannot be executed: %w", path, what, err)
}

// checkEnv looks at a first line that has env(1) find the interpreter.
func checkEnv(path, line, list string) error {
	fields := strings.Fields(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(line, "#!") || len(fields) < 2 || filepath.Base(fields[0]) != "env" {
		return nil
	}
	words := fields[1:]
	split := strings.HasPrefix(words[0], "-") // -S, or attached to it other options
	if !split && len(words) > 1 {
		return fmt.Errorf(`%s: the kernel gives env "%s" as one word: write env -S`, path, strings.Join(words, " "))
	}
	for _, word := range words {
		if strings.HasPrefix(word, "-") || strings.Contains(word, "=") {
			continue
		}
		for _, candidate := range Candidates(word, list) {
			if CheckExecutable(candidate) == nil {
				return nil
			}
		}
		return fmt.Errorf("%s: its interpreter %s is in no directory of PATH", path, word)
	}
	return nil
}

// loaderOf returns the loader that a little-endian ELF file asks for, or "" if
// it asks for none or that cannot be known (elf(5)).
func loaderOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var head [64]byte
	if _, err := f.ReadAt(head[:], 0); err != nil || head[5] != 1 {
		return ""
	}
	// The table of program headers: where it is, the size of an entry and their
	// number. Then, in an entry, where what it describes is in the file.
	const segmentInterp = 3 // PT_INTERP
	le := binary.LittleEndian
	table, size, count := int64(le.Uint64(head[32:])), le.Uint16(head[54:]), le.Uint16(head[56:])
	offsetAt, lengthAt, least := 8, 32, uint16(56)
	if head[4] == 1 { // 32 bits
		table, size, count = int64(le.Uint32(head[28:])), le.Uint16(head[42:]), le.Uint16(head[44:])
		offsetAt, lengthAt, least = 4, 16, 32
	}
	if size < least || count > 256 {
		return ""
	}
	entry := make([]byte, size)
	for i := range int64(count) {
		if _, err := f.ReadAt(entry, table+i*int64(size)); err != nil {
			return ""
		}
		if le.Uint32(entry) != segmentInterp {
			continue
		}
		offset, length := int64(le.Uint32(entry[offsetAt:])), le.Uint32(entry[lengthAt:])
		if length > unix.PathMax {
			return ""
		}
		name := make([]byte, length)
		if _, err := f.ReadAt(name, offset); err != nil {
			return ""
		}
		return strings.TrimRight(string(name), "\x00")
	}
	return ""
}
