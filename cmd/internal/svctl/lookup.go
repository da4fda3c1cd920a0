package svctl

import (
	"cmp"
	"os"
	"strings"
	"syscall"

	"svinit/cmd/internal/applet"
	"svinit/services/svdir"
)

// scanDir returns the scan directory.
func scanDir(e *applet.Env) string {
	return cmp.Or(e.Getenv("SVINIT_SERVICE_DIR"), svdir.ScanDir)
}

// findDir returns the service directory of an argument. A path is one. NAME and NAME/log
// are those of the scan directory, unless a directory of that name here is itself
// supervised: an application's working directory may well have a directory web. The error
// is that of chdir to the argument, a syscall.Errno.
func findDir(e *applet.Env, arg string) (dir string, err error) {
	err = checkDir(arg)
	name := strings.TrimSuffix(arg, "/log")
	if name == "" || name[0] == '.' || strings.Contains(name, "/") {
		return arg, err
	}
	if err == nil && isSupervised(e, arg) {
		return arg, nil
	}
	there := scanDir(e) + "/" + arg
	switch checkDir(there) {
	case nil:
		return there, nil
	case syscall.EACCES:
		if err != nil {
			return arg, syscall.EACCES
		}
	}
	return arg, err
}

// isSupervised reports whether dir is a directory that is supervised.
func isSupervised(e *applet.Env, dir string) bool {
	if checkDir(dir) != nil {
		return false
	}
	_, err := findState(e, dir)
	return err == nil
}

// checkDir returns the error that chdir(dir) would: whether dir is a directory and
// searchable. It does not change the working directory, so that tests can run in parallel
// and relative arguments stay valid.
func checkDir(dir string) error {
	if dir == "" {
		return syscall.ENOENT
	}
	var st syscall.Stat_t
	return syscall.Stat(dir+"/.", &st)
}

// listServices returns the names of the services in the scan directory and, as NAME/log,
// of their loggers. It includes dangling links, for which svstat prints an error.
func listServices(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		if name[0] == '.' {
			continue
		}
		fi, err := os.Stat(dir + "/" + name)
		if err == nil && !fi.IsDir() {
			continue
		}
		names = append(names, name)
		if fi, err := os.Stat(dir + "/" + name + "/log"); err == nil && fi.IsDir() {
			names = append(names, name+"/log")
		}
	}
	return names, nil
}

// listedAs returns the entry of the scan directory by which the service directory dir, or
// that of its service if dir is a logger's, is listed; "" if there is none.
func listedAs(e *applet.Env, dir string) string {
	scan := scanDir(e)
	if name, ok := strings.CutPrefix(dir, scan+"/"); ok {
		name = strings.TrimSuffix(name, "/log")
		if name != "" && name[0] != '.' && !strings.Contains(name, "/") {
			return scan + "/" + name
		}
	}
	this, err := os.Stat(dir)
	if err != nil {
		return ""
	}
	names, _ := listServices(scan)
	for _, name := range names {
		if fi, err := os.Stat(scan + "/" + name); err == nil && os.SameFile(fi, this) {
			return scan + "/" + strings.TrimSuffix(name, "/log")
		}
	}
	return ""
}
