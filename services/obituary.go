package services

import (
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// obituary says how a process ended, and after how long.
func obituary(ws syscall.WaitStatus, oom bool, lived time.Duration) string {
	s := "died: "
	if ws.Signaled() {
		s += "killed by signal " + signalName(ws.Signal())
		if oom {
			s += " (out of memory)"
		}
		if ws.CoreDump() {
			s += " (core dumped)"
		}
	} else {
		s += "exit code " + strconv.Itoa(ws.ExitStatus())
	}
	return s + " after " + roughly(lived)
}

// next says what happens after a death.
func (s *service) next() string {
	switch {
	case s.state == wait:
		return "restarting in " + roughly(time.Until(s.notBefore))
	case s.todo&doLaunch != 0:
		return "restarting"
	case s.state == over:
		return "letting go of it"
	case s.want == wantOnce:
		return "not restarting: it was to run once"
	}
	return "not restarting: it is to be down"
}

// signalName returns the name without its SIG, "RTMIN+3" for those without.
func signalName(sig syscall.Signal) string {
	if n := unix.SignalName(sig); len(n) > 3 {
		return n[3:]
	}
	if sig >= 34 {
		return "RTMIN+" + strconv.Itoa(int(sig)-34)
	}
	return strconv.Itoa(int(sig))
}

// roughly writes a duration with no more digits than one needs to read.
func roughly(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}
