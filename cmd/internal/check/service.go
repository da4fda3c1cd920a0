package check

import (
	"path/filepath"
	"strings"
	"time"

	"svinit/services/program"
	"svinit/services/spec"
)

// checkService checks one service directory.
func (c *checker) checkService(name, dir string) {
	s, problems := spec.Load(spec.Source{Name: name, Dir: dir})
	run := filepath.Join(dir, "run")
	missing := false
	for _, p := range problems {
		missing = missing || p.File == run
		text := withoutFile(p.Err.Error(), p.File)
		if p.Hint || strings.HasPrefix(p.File, dir+"/env-secrets/") { // secrets are mounted into the container
			c.warning(p.File, p.Line, text)
		} else {
			c.error(p.File, p.Line, text)
		}
	}
	work := dir // where its programs are executed
	if s.Exec != nil && s.Exec.Dir != "" {
		work = s.Exec.Dir
	}
	if !missing && c.checkProgram(run, work) && !isOneshot(dir) {
		c.checkScript(run, work)
	}
	others := []string{}
	if s.Finish.Exists {
		others = append(others, "finish")
	}
	if program.CheckExecutable(dir+"/check") == nil {
		others = append(others, "check")
	}
	for _, letter := range s.Control {
		others = append(others, "control/"+string(letter))
	}
	for _, other := range others {
		c.checkProgram(filepath.Join(dir, other), work)
	}
	c.checkTimes(dir, s)
}

// isOneshot reports whether the program of a service is not meant to stay.
func isOneshot(dir string) bool {
	content, err := spec.ReadFile(dir + "/type")
	return err == nil && strings.TrimSpace(string(content)) == "oneshot"
}

// checkProgram reports whether an executable of a service can be executed in the
// directory dir.
func (c *checker) checkProgram(file, dir string) bool {
	list := c.path
	if list == "" {
		list = program.DefaultPath
	}
	err := program.Check(file, dir, list)
	if err == nil {
		err = program.CheckFirstLine(binary, file)
	}
	if err != nil {
		c.errorOf(file, err)
	}
	return err == nil
}

// binary is svinit's name in the first line of a script.
const binary = "svinit"

// checkTimes compares the times that a service may take to stop with the
// deadline of all services.
func (c *checker) checkTimes(dir string, s spec.Spec) {
	kill, finish := s.Stop.KillAfter, time.Duration(0)
	if s.Finish.Exists {
		finish = s.Finish.Timeout
	}
	if kill+finish <= c.stop || kill == 0 {
		return
	}
	text := "the stop may take " + kill.String()
	if finish > 0 {
		text += ", and then finish " + finish.String()
	}
	c.warning(filepath.Join(dir, "timeout-kill"), 0, text+
		", which is more than SVINIT_STOP_TIMEOUT="+c.stop.String()+": when the container stops, what still runs then is killed")
}
