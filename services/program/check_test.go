package program

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Check says what ExplainExec would, before anything is executed.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good", "#!/bin/sh\n", 0o755)
	write("plain", "#!/bin/sh\n", 0o644)
	write("nested", "#!"+good+"\n", 0o755)
	write("broken", "#!/nonexistent/sh\n", 0o755)
	loop := filepath.Join(dir, "loop")
	write("loop", "#!"+loop+"\n", 0o755)
	for _, c := range []struct{ content, want string }{
		{"#!/bin/sh\n", ""},
		{"#! /bin/sh -e", ""},
		{"#!" + dir + "/nested\n", ""},
		{"#!good\n", ""}, // relative to the directory in which it is executed
		{"#!none\n", "FILE: its interpreter DIR/none does not exist"},
		{"#!" + dir + "/plain\n", "FILE: its interpreter cannot be executed: DIR/plain is not executable: chmod +x it"},
		{"#!" + dir + "\n", "FILE: its interpreter cannot be executed: DIR is a directory: put an executable there"},
		{"#!" + dir + "/broken\n", "DIR/broken: its interpreter /nonexistent/sh does not exist"},
		{"#!" + loop + "\n", ""}, // execve(2) answers ELOOP; not looked for
		{"#!/bin/sh\r\n", "FILE " + crlf},
		{"#!\n", "FILE has no interpreter after the #! of its first line"},
		{"#!  ", "FILE has no interpreter after the #! of its first line"},
		{"\xef\xbb\xbf#!/bin/sh\n", "FILE begins with a byte order mark, before its #!: save it as UTF-8 without one"},
		{"exec sleep\n", "FILE has no #! in its first line and is no program: begin it with #!/bin/sh"},
		{"", "FILE has no #! in its first line and is no program: begin it with #!/bin/sh"},
		{"#!/usr/bin/env good\n", ""},
		{"#!/usr/bin/env -S A=b good -x\n", ""},
		{"#!/usr/bin/env\n", ""},
		{"#!/usr/bin/env bad\n", "FILE: its interpreter bad is in no directory of PATH"},
		{"#!/usr/bin/env plain\n", "FILE: its interpreter plain is in no directory of PATH"},
		{"#!/usr/bin/env good -x\n", `FILE: the kernel gives env "good -x" as one word: write env -S`},
	} {
		file := write("file", c.content, 0o755)
		want := strings.NewReplacer("FILE", file, "DIR", dir).Replace(c.want)
		if got := text(Check(file, dir, "/nonexistent:"+dir)); got != want {
			t.Errorf("%q\n got %s\nwant %s", c.content, got, want)
		}
	}
	if got, want := text(Check(dir+"/plain", dir, "")), dir+"/plain is not executable: chmod +x it"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// An ELF file names its loader.
func TestLoader(t *testing.T) {
	le := binary.LittleEndian
	build := func(bits byte, loader string) []byte {
		head := make([]byte, 64+2*56)
		copy(head, "\x7fELF")
		head[4], head[5] = bits, 1
		entry, size, offsetAt, lengthAt := 64, 56, 8, 32
		if bits == 1 {
			size, offsetAt, lengthAt = 32, 4, 16
			le.PutUint32(head[28:], uint32(entry))
			le.PutUint16(head[42:], uint16(size))
			le.PutUint16(head[44:], 2)
		} else {
			le.PutUint64(head[32:], uint64(entry))
			le.PutUint16(head[54:], uint16(size))
			le.PutUint16(head[56:], 2)
		}
		second := head[entry+size:]
		le.PutUint32(second, 3) // PT_INTERP
		le.PutUint32(second[offsetAt:], uint32(len(head)))
		le.PutUint32(second[lengthAt:], uint32(len(loader)+1))
		return append(head, loader+"\x00"...)
	}
	file := filepath.Join(t.TempDir(), "file")
	for _, c := range []struct {
		content []byte
		want    string
	}{
		{build(2, "/lib/nonexistent.so"), "FILE: its loader /lib/nonexistent.so does not exist"},
		{build(1, "/lib/nonexistent.so"), "FILE: its loader /lib/nonexistent.so does not exist"},
		{build(2, "/bin/sh"), ""},
		{build(2, "/lib/nonexistent.so")[:150], ""}, // cut short
		{append([]byte("\x7fELF"), bytes.Repeat([]byte{0xff}, 200)...), ""},
		{[]byte("\x7fELF"), ""},
	} {
		if err := os.WriteFile(file, c.content, 0o755); err != nil {
			t.Fatal(err)
		}
		if got := text(Check(file, "/", "")); got != strings.ReplaceAll(c.want, "FILE", file) {
			t.Errorf("%.80q\n got %s\nwant %s", c.content, got, c.want)
		}
	}
	if own, err := os.Executable(); err != nil || Check(own, "/", "") != nil {
		t.Error(err, Check(own, "/", ""))
	}
}
