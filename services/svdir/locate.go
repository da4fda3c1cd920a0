package svdir

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ErrElsewhere says that the supervisor of a service runs in another container,
// which has the directory as well.
var ErrElsewhere = errors.New("supervised in another container")

// Locate returns the state directory of the service directory dir as a tool
// finds it: dir/supervise, or, where no supervisor of this container listens
// there, the first of the fallbacks where one does. Without an error one listens.
// Otherwise it is dir/supervise, or, where there is none, a fallback that we may
// not look into: then whoever asks is refused for that. Errors: ErrElsewhere, and
// those of ProbeOK.
//
// The fallbacks are looked for under our own user id and under that of PID 1,
// whose services a root shell inside a rootless container wants to see.
func Locate(dir, custom string) (state string, err error) {
	// Not filepath.Join, which takes "link/.." for ".".
	own := dir + "/" + Supervise
	f := finder{uids: []int{os.Geteuid()}}
	far, byUs, err := f.look(own)
	if err == nil && far == sameContainer && byUs {
		return own, nil
	}
	if state, ferr := f.below(dir, custom); ferr == nil {
		return state, nil
	} else if state != "" && err != nil && (ferr == ErrElsewhere || errors.Is(err, unix.ENOENT)) {
		return state, ferr
	}
	if err == nil && far == otherNamespace {
		err = ErrElsewhere
	}
	return own, err
}

// finder looks for supervisors of some users.
type finder struct{ uids []int }

// look returns how far the supervisor is that listens in a state directory, and
// whether that is one of ours or of root, not one that a service's user may have
// put there. Errors are those of ProbeOK.
func (f *finder) look(state string) (far distance, byUs bool, err error) {
	dir, st, err := openDir(unix.AT_FDCWD, state, false)
	if err != nil {
		return 0, false, &os.PathError{Op: "open", Path: state + "/ok", Err: err}
	}
	defer unix.Close(dir)
	ok, err := openFIFOAt(dir, "ok")
	if err == ErrNotRunning || err == errNotFIFO {
		return 0, false, err
	}
	if err != nil {
		return 0, false, &os.PathError{Op: "open", Path: state + "/ok", Err: err}
	}
	unix.Close(ok)
	if !trusted(st.Uid) {
		f.addInit()
	}
	for _, uid := range f.uids {
		byUs = byUs || uid == int(st.Uid)
	}
	return distanceOf(dir, here()), byUs || st.Uid == 0, nil
}

// addInit adds the user of PID 1.
func (f *finder) addInit() {
	var st unix.Stat_t
	if len(f.uids) == 1 && unix.Stat("/proc/1", &st) == nil && int(st.Uid) != f.uids[0] {
		f.uids = append(f.uids, int(st.Uid))
	}
}

// owners returns the users in whose fallbacks tools look.
func owners() []int {
	f := finder{uids: []int{os.Geteuid()}}
	f.addInit()
	return f.uids
}

// below looks for the supervisor of dir in the fallbacks. Without one the state
// is that of another container, with ErrElsewhere; or one that we may not look
// into; or "".
func (f *finder) below(dir, custom string) (state string, err error) {
	f.addInit()
	err = ErrNotRunning
	for _, uid := range f.uids {
		for _, base := range bases(custom, uid, here().ids()) {
			// Anybody may have made a directory of that name in /tmp, and
			// commands would be written where its links lead.
			if !ownedBy(base, uid) {
				continue
			}
			names, rerr := entries(base)
			if errors.Is(rerr, unix.EACCES) && state == "" {
				state = base + "/" + filepath.Base(dir)
				err = ProbeOK(state)
			}
			for _, name := range names {
				s := base + "/" + name
				if !serves(s, dir) {
					continue
				}
				far, _, lerr := f.look(s)
				if lerr == nil && far == sameContainer {
					return s, nil
				}
				if lerr == nil {
					state, err = s, ErrElsewhere
				}
			}
		}
	}
	return state, err
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

// ownedBy reports whether base is as HoldBelow makes it for uid.
func ownedBy(base string, uid int) bool {
	var st unix.Stat_t
	err := unix.Lstat(base, &st)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && int(st.Uid) == uid && st.Mode&0o027 == 0
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
