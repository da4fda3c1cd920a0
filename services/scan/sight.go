package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"svinit/services/program"
	"svinit/services/spec"
)

// sight is what was found where an entry of the scan directory leads.
type sight struct {
	dir     string // a path to it without links
	id      spec.Identity
	changed int64 // when the directory was last changed, in ns (st_ctim)
	err     error // why it leads to no directory, or errUnknown
	missing bool  // there is no such entry

	run    error // why its run cannot be executed, or there is no directory
	log    error // why its log is no directory
	logger bool  // it has log/run

	lookups    []lookup // what decides where the entry leads, and run in it
	logLookups []lookup // and log/run in it
	silent     silence  // one of these file systems does not report changes
}

// silence is a directory whose file system does not report changes, and what
// kind of file system it is. Its zero value is that there is none.
type silence struct{ dir, kind string }

// gone reports whether the entry no longer leads to the directory id. An error
// that leaves it unknown (no permission, a failing file system) does not count:
// it is no reason to stop a service.
func (x *sight) gone(id spec.Identity) bool {
	switch x.err {
	case nil:
		return x.id != id
	case errNotDir, unix.ENOENT, unix.ENOTDIR, unix.ELOOP:
		return true
	}
	return false
}

// see returns what is found at an entry of the scan directory.
func (s *Scanner) see(name string) sight {
	x, known := ask(s, name, func(c *call) sight { return observe(c, s.dir, name) })
	if !known {
		x.err = errUnknown
	} else if x.err == errUnknown {
		s.refused[name] = struct{}{}
	}
	return x
}

// seeAll is see for many names, and quicker: one call looks at them in turn. If
// it hangs, it becomes the call of the name where it does, and another one goes
// on.
func (s *Scanner) seeAll(names []string) []sight {
	found := make([]sight, len(names))
	todo := make([]int, 0, len(names)) // indexes
	for i, name := range names {
		switch {
		case hidden(name):
		case s.calls[name] != nil:
			found[i] = s.see(name)
		default:
			todo = append(todo, i)
		}
	}
	for len(todo) > 0 {
		c := s.newCall()
		if c == nil {
			for _, i := range todo {
				found[i].err = errUnknown
				s.refused[names[i]] = struct{}{}
			}
			break
		}
		done := s.seeSome(c, names, todo, found)
		for _, i := range todo[:done] {
			if found[i].err == errUnknown {
				s.refused[names[i]] = struct{}{}
			}
		}
		if todo = todo[done:]; len(todo) > 0 {
			found[todo[0]].err = errUnknown
			s.leave(names[todo[0]], c)
			todo = todo[1:]
		}
	}
	return found
}

// seeSome looks at the names with the indexes todo, until it hangs or is done.
// It returns for how many it has found something.
func (s *Scanner) seeSome(c *call, names []string, todo []int, found []sight) int {
	var (
		mu   sync.Mutex
		done int
		left bool // the call at done is on its own
	)
	c.run(func() any {
		for _, i := range todo {
			x := observe(c, s.dir, names[i])
			mu.Lock()
			if left {
				mu.Unlock()
				return x
			}
			found[i] = x
			done++
			mu.Unlock()
		}
		return sight{}
	})
	for seen := 0; !s.await(c); {
		mu.Lock()
		left = done == seen && done < len(todo)
		seen = done
		mu.Unlock()
		if left {
			return seen
		}
	}
	c.rethrow()
	return done
}

// observe looks at an entry of the scan directory scan.
func observe(c *call, scan, name string) (x sight) {
	path := filepath.Join(scan, name)
	var err error
	if x.lookups, x.dir, err = walk(c, scan, path); err == errUnknown {
		x.err = err
		return x
	}
	if x.dir == "" {
		x.dir = path
	}
	var kind string
	if x.id, x.changed, kind, x.err = identify(x.dir); x.err != nil {
		x.missing = x.err == unix.ENOENT && unix.Lstat(path, new(unix.Stat_t)) == unix.ENOENT
		x.run = explainEntry(path, x.err)
		x.silent = silent(scan, "", x.lookups)
		return x
	}
	// Each file is looked at after its path was walked: then c knows the device.
	base := strings.TrimSuffix(x.dir, "/")
	run, _, err := walk(c, base, base+"/run")
	if err == errUnknown {
		return sight{err: err}
	}
	x.run = program.CheckExecutable(x.dir + "/run")
	if x.logLookups, _, err = walk(c, base, base+"/log/run"); err == errUnknown {
		return sight{err: err}
	}
	if x.log = unix.ENOENT; err != unix.ENOENT || x.logLookups[0].name != "log" || len(x.logLookups) > 1 {
		if _, _, _, x.log = identify(x.dir + "/log"); x.log == nil {
			x.logger = unix.Lstat(x.dir+"/log/run", new(unix.Stat_t)) == nil
		}
	}
	x.lookups = append(x.lookups, run...)
	if kind != "" {
		x.silent = silence{x.dir, kind}
	} else if x.silent = silent(scan, x.dir, x.lookups); x.silent.kind == "" {
		x.silent = silent(scan, x.dir, x.logLookups)
	}
	return x
}

// CheckEntry returns why an entry of a scan directory cannot be a service, or
// nil. The error names the file and the remedy. It is for tools: the call can hang.
func CheckEntry(path string) error {
	if _, _, _, err := identify(path); err != nil {
		return explainEntry(path, err)
	}
	return program.CheckExecutable(path + "/run")
}

// explainEntry says why an entry leads to no directory.
func explainEntry(path string, err error) error {
	if target, lerr := os.Readlink(path); lerr == nil {
		switch err {
		case unix.ENOENT:
			return fmt.Errorf("%s is a link to %s, which does not exist", path, target)
		case unix.ELOOP:
			return fmt.Errorf("%s is a link that leads back to itself", path)
		}
	}
	return fmt.Errorf("%s: %w", path, err)
}

// silentKind returns what kind of file system a directory is on, if that is one
// which accepts a watch and does not report what other machines or its server
// change, by the number that statfs(2) gives (linux/magic.h and the sources).
func silentKind(dir string) string {
	var fs unix.Statfs_t
	var st unix.Stat_t
	if unix.Statfs(dir, &fs) != nil || unix.Stat(dir, &st) != nil {
		return ""
	}
	return kindOf(uint32(fs.Type), st.Dev)
}

// rootDevice is the device of our root directory. Where that is on FUSE, as with
// fuse-overlayfs, it is this container's alone, and the kernel reports what
// processes of this machine change.
var rootDevice = sync.OnceValue(func() uint64 {
	var st unix.Stat_t
	unix.Stat("/", &st)
	return st.Dev
})

// kindOf is silentKind by the numbers of the file system and of the device.
func kindOf(magic uint32, device uint64) string {
	switch magic {
	case unix.FUSE_SUPER_MAGIC: // virtiofs, too
		if device == rootDevice() {
			return ""
		}
		return "FUSE"
	case unix.NFS_SUPER_MAGIC:
		return "NFS"
	case unix.CIFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB"
	case unix.V9FS_MAGIC:
		return "9p"
	case 0x786f4256:
		return "vboxsf"
	case unix.CEPH_SUPER_MAGIC:
		return "Ceph"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "AFS"
	case unix.CODA_SUPER_MAGIC:
		return "Coda"
	case unix.OCFS2_SUPER_MAGIC:
		return "OCFS2"
	case 0x01161970:
		return "GFS2"
	case 0x0bd00bd0:
		return "Lustre"
	}
	return ""
}

// silent returns the first directory of lookups, but for two that need not be
// looked at, whose file system does not report changes.
func silent(scan, dir string, lookups []lookup) silence {
	last := dir
	for _, l := range lookups {
		if l.isDir || l.dir == last || l.dir == dir || l.dir == scan {
			continue
		}
		last = l.dir
		if kind := silentKind(l.dir); kind != "" {
			return silence{l.dir, kind}
		}
	}
	return silence{}
}
