package spec

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"svinit/services/program"
)

// Source says where the definition of a service stands: today always a service
// directory.
type Source struct {
	Name string // what the service is called
	Dir  string // its directory, an absolute path
	Key  string // which of the services that are defined in Dir; "" for the directory itself
}

// Spec is what a service is.
type Spec struct {
	Name string
	Dir  string   // the working directory
	Path string   // the program, relative to Dir
	Args []string // its arguments, the name of the program first
	Down bool     // not started by itself
	Log  bool     // it has a logger, in the directory log
	// Control has, in order, the letters of the commands for which there is an
	// executable control/LETTER: it is run in place of sending the signal.
	Control string
	Stop    Stop
	Finish  Finish
	// Notify is the descriptor to which the service writes a newline when it is
	// ready (notification-fd, as in s6); 0 where it is ready as soon as it is up.
	Notify int
	Exec   *Exec // nil for nothing but what svinit has itself
}

// Problem is something about a source that is wrong or cannot be known.
type Problem struct {
	File  string // the path that it is about
	Line  int    // the line in it, from 1; 0 for the file as a whole
	Verb  string // what could not be done, as in "unable to VERB FILE: ERR"
	Err   error  // what is wrong, and the remedy where there is one
	Fatal bool   // the service cannot be started until this is fixed
	Hint  bool   // a file without effect, which may be meant for another program
}

// Object returns what the problem is about: FILE, or FILE:LINE.
func (p Problem) Object() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

var runArgs = []string{"./run"}

// Load reads a source. The Spec is complete as far as it could be read.
func Load(src Source) (s Spec, problems []Problem) {
	s = Spec{Name: src.Name, Dir: src.Dir, Path: "./run", Args: runArgs}
	dir, err := unix.Open(src.Dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == unix.EACCES { // it may be entered and not read
		dir, err = unix.Open(src.Dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return s, []Problem{runProblem(src.Dir)}
	}
	defer unix.Close(dir)
	if !isExecutable(dir, "run") {
		problems = append(problems, runProblem(src.Dir))
	}
	found, unknown := list(dir)
	if found.has(fileDown) {
		s.Down = true
		// What is there and cannot be looked at counts as down, as in daemontools.
		if err := unix.Faccessat(dir, "down", unix.F_OK, 0); err == unix.ENOENT {
			s.Down = false // a link that leads nowhere
		} else if err != nil {
			problems = append(problems, Problem{File: src.Dir + "/down", Verb: "stat", Err: err})
		}
	}
	if found.has(fileLog) {
		// An application may keep files of its own in a directory called log.
		s.Log = unix.Fstatat(dir, "log/run", new(unix.Stat_t), unix.AT_SYMLINK_NOFOLLOW) == nil
	}
	if found.has(fileControl) {
		s.Control = controls(src.Dir + "/control")
	}
	r := reader{path: src.Dir, dir: dir, found: found, problems: problems}
	s.Stop, s.Finish = r.loadStop(), r.loadFinish()
	value(&r, fileNotify, &s.Notify, parseNotify)
	s.Exec = r.loadExec()
	r.pointOut(unknown)
	return s, r.problems
}

// runProblem is what is wrong with the executable run of a service directory.
// The directory may be gone as a whole, which is another reason.
func runProblem(dir string) Problem {
	run := filepath.Join(dir, "run")
	return Problem{File: run, Verb: "start", Err: program.ExplainStart(run, syscall.ENOENT), Fatal: true}
}

// isExecutable reports whether name in dir is an executable regular file.
func isExecutable(dir int, name string) bool {
	var st unix.Stat_t
	err := unix.Fstatat(dir, name, &st, 0)
	return err == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&0o111 != 0
}

// controls returns the letters of the executables in a directory control.
func controls(path string) string {
	dir, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(longListing)
	var letters []byte
	for _, name := range names {
		if len(name) == 1 && program.CheckExecutable(path+"/"+name) == nil {
			letters = append(letters, name[0])
		}
	}
	slices.Sort(letters)
	return string(letters)
}
