package spec

import (
	"bytes"
	"unsafe"

	"golang.org/x/sys/unix"
)

// file is a name that means something in a service directory.
type file uint8

const (
	fileDown file = iota
	fileLog
	fileControl

	fileEnv
	fileEnvClear
	fileEnvSecrets
	fileUser
	fileWorkingDirectory
	fileUmask
	fileNice
	fileOOMScoreAdj
	fileLimits
	fileNoNewPrivs
	fileCapabilities

	fileFinish
	fileDownSignal
	fileReloadSignal
	fileTimeoutKill
	fileTimeoutKillpg
	fileStopGroup
	fileTimeoutFinish
	fileRunitFinish
	fileNotify
	files
)

// names has the name of each file.
var names = [files]string{
	fileDown:    "down",
	fileLog:     "log",
	fileControl: "control",

	fileEnv: "env", fileEnvClear: "env-clear", fileEnvSecrets: "env-secrets", fileUser: "user", fileWorkingDirectory: "working-directory",
	fileUmask: "umask", fileNice: "nice", fileOOMScoreAdj: "oom-score-adj", fileLimits: "limits", fileNoNewPrivs: "no-new-privs", fileCapabilities: "capabilities",

	fileFinish:        "finish",
	fileDownSignal:    "down-signal",
	fileReloadSignal:  "reload-signal",
	fileTimeoutKill:   "timeout-kill",
	fileTimeoutKillpg: "flag-timeout-killpg",
	fileStopGroup:     "flag-stop-group",
	fileTimeoutFinish: "timeout-finish",
	fileRunitFinish:   "flag-runit-finish",
	fileNotify:        "notification-fd",
}

// listing is which of the files a directory has, a bit each. One reading of the
// directory costs less than looking for each file that is usually not there.
type listing uint64

func (l listing) has(f file) bool { return l&(1<<f) != 0 }

// longListing is how many entries are read at most: a service may keep its data
// in its directory. Beyond that number each file is looked for by its name.
const longListing = 1000

// list returns which files are in the directory dir, and which other names may
// have been meant for a supervisor.
func list(dir int) (found listing, unknown []string) {
	var buf [2048]byte
	for n := 0; n < longListing; {
		size, err := unix.ReadDirent(dir, buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			break // such as a directory that may be entered and not read
		}
		if size <= 0 {
			return found, unknown
		}
		// struct linux_dirent64 (getdents64(2)): inode and offset, 8 bytes each,
		// the length of this record, 2 bytes, the type, 1, and the name, which a
		// NUL ends. The type is left out: it may be unknown.
		const lengthAt, nameAt = 16, 19
		for b := buf[:size]; len(b) > nameAt; n++ {
			length := int(*(*uint16)(unsafe.Pointer(&b[lengthAt])))
			name, _, _ := bytes.Cut(b[nameAt:length], []byte{0})
			is := listing(0)
			for f, known := range names {
				if string(name) == known {
					is = 1 << f
				}
			}
			found |= is
			if is == 0 && len(unknown) < maxUnknown && mayMean(name) {
				unknown = append(unknown, string(name))
			}
			b = b[length:]
		}
	}
	for f, name := range names {
		if unix.Faccessat(dir, name, unix.F_OK, unix.AT_SYMLINK_NOFOLLOW) != unix.ENOENT {
			found |= 1 << f
		}
	}
	return found, unknown
}
