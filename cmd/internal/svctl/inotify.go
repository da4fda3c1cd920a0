package svctl

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// hasNews reports whether there is an event of inotify(7) in b besides the opening of
// files other than ok: looking for a supervisor opens files in the directories that are
// watched.
//
//	 0     4      8        12    16
//	| wd  | mask | cookie | len | name, padded with zeros |
//	|          native endian    |
func hasNews(b []byte) bool {
	for len(b) >= unix.SizeofInotifyEvent {
		mask, size := binary.NativeEndian.Uint32(b[4:]), int(binary.NativeEndian.Uint32(b[12:]))
		name := b[unix.SizeofInotifyEvent:]
		b = name[min(size, len(name)):]
		name, _, _ = bytes.Cut(name[:min(size, len(name))], []byte{0})
		switch {
		case mask&unix.IN_IGNORED != 0:
		case mask&unix.IN_OPEN == 0 || string(name) == "ok":
			return true
		}
	}
	return false
}
