package svdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Supervise is the state directory's name inside a service directory.
const Supervise = "supervise"

// Bases returns where state directories stand for service directories that
// cannot be written, in the order in which they are tried: custom (the value
// of $SVINIT_STATE_DIR, passed over when empty), /run/svinit,
// /dev/shm/svinit-UID and /tmp/svinit-UID.
func Bases(custom string, uid int) []string {
	u := strconv.Itoa(uid)
	b := []string{"/run/svinit", "/dev/shm/svinit-" + u, "/tmp/svinit-" + u}
	if custom != "" {
		b = append([]string{custom}, b...)
	}
	return b
}

// Claim makes base ours: a directory, not a link to one, owned by us, mode
// 0700, or 0750 with a group gid that is not 0. The error names what is in
// the way.
func Claim(base string, gid int) error {
	mode := fs.FileMode(0o700)
	if gid != 0 {
		mode = 0o750
	}
	if err := os.Mkdir(base, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	fi, err := os.Lstat(base)
	if err != nil {
		return err
	}
	st := fi.Sys().(*syscall.Stat_t)
	switch {
	case !fi.IsDir():
		return fmt.Errorf("%s is not a directory", base)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s is owned by uid %d, not by us", base, st.Uid)
	case gid != 0 && int(st.Gid) != gid:
		if err := os.Chown(base, -1, gid); err != nil {
			return err
		}
	}
	if fi.Mode().Perm() != mode {
		return os.Chmod(base, mode)
	}
	return nil
}

// Locate returns the state directory of the service directory dir as a tool
// finds it: dir/supervise, or, where no supervisor listens there, the first of
// the fallbacks where one does. When none does it is dir/supervise, or, where
// there is none, a fallback that we may not look into: then who asks is refused
// for that.
//
// The fallbacks are looked for under our own user id and under that of PID 1,
// whose services a root shell inside a rootless container wants to see.
func Locate(dir, custom string) string {
	// Not filepath.Join, which takes "link/.." for ".".
	own := dir + "/" + Supervise
	if Listening(own) {
		return own
	}
	refused := ""
	for _, uid := range owners() {
		for _, base := range Bases(custom, uid) {
			// Anybody may have made a directory of that name in /tmp, and
			// commands would be written where its links lead.
			if !ownedBy(base, uid) {
				continue
			}
			names, err := entries(base)
			if errors.Is(err, fs.ErrPermission) {
				refused = base + "/" + filepath.Base(dir)
			}
			for _, name := range names {
				if s := base + "/" + name; serves(s, dir) && Listening(s) {
					return s
				}
			}
		}
	}
	if _, err := os.Lstat(own); refused != "" && errors.Is(err, fs.ErrNotExist) {
		return refused
	}
	return own
}

// entries returns the names of all states in a fallback base.
func entries(base string) ([]string, error) {
	f, err := os.Open(base)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	for _, name := range names {
		names = append(names, name+"/log")
	}
	return names, err
}

// owners returns the users whose fallbacks are looked into.
func owners() []int {
	uids := []int{os.Geteuid()}
	var st syscall.Stat_t
	if err := syscall.Stat("/proc/1", &st); err == nil && int(st.Uid) != uids[0] {
		uids = append(uids, int(st.Uid))
	}
	return uids
}

// ownedBy reports whether base is as Claim makes it for uid.
func ownedBy(base string, uid int) bool {
	var st syscall.Stat_t
	err := syscall.Lstat(base, &st)
	return err == nil && st.Mode&syscall.S_IFMT == syscall.S_IFDIR && int(st.Uid) == uid && st.Mode&0o027 == 0
}

// serviceLink is a link in a fallback state directory to the service directory
// whose state it is. Two service directories may have one name.
const serviceLink = "service"

// Mark says in the fallback state directory that it is that of the service
// directory dir, an absolute path. Whoever holds it calls this before Announce.
func Mark(state, dir string) error {
	tmp := state + "/" + serviceLink + ".new"
	os.Remove(tmp)
	if err := os.Symlink(dir, tmp); err != nil {
		return err
	}
	return os.Rename(tmp, state+"/"+serviceLink)
}

// serves reports whether the fallback state directory is that of dir.
func serves(state, dir string) bool {
	marked, err := os.Stat(state + "/" + serviceLink)
	if err != nil {
		return false
	}
	fi, err := os.Stat(dir)
	return err == nil && os.SameFile(fi, marked)
}
