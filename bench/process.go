package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// hostPID returns the PID, in the namespace of bench, of the descendant of root
// that has the PID inner in its own namespace.
func hostPID(root, inner int) (int, error) {
	for _, pid := range descendants(root) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue
		}
		_, ns, _ := strings.Cut(string(text), "\nNSpid:")
		ns, _, _ = strings.Cut(ns, "\n")
		pids := strings.Fields(ns)
		if len(pids) > 0 && pids[len(pids)-1] == strconv.Itoa(inner) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("find process %d of the namespace", inner)
}

// descendants returns root and its descendants, from the children files of all
// threads.
func descendants(root int) []int {
	all := []int{root}
	for i := 0; i < len(all); i++ {
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", all[i]))
		for _, task := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", all[i], task.Name()))
			for _, f := range strings.Fields(string(text)) {
				if pid, err := strconv.Atoi(f); err == nil {
					all = append(all, pid)
				}
			}
		}
	}
	return all
}

// supervisors returns the PIDs of PID 1 and its descendants without the services
// and loggers, which all have the name `run`.
func (s *sandbox) supervisors() (pids []int) {
	for _, pid := range descendants(s.pid) {
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err == nil && string(comm) != "run\n" {
			pids = append(pids, pid)
		}
	}
	return pids
}

// switches returns the number of voluntary context switches of PID 1, and of
// PID 1 and all other supervisors.
func (s *sandbox) switches() (pid1, all int) {
	for _, pid := range s.supervisors() {
		n := 0
		tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, task := range tasks {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
			_, v, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
			v, _, _ = strings.Cut(v, "\n")
			k, _ := strconv.Atoi(strings.TrimSpace(v))
			n += k
		}
		if pid == s.pid {
			pid1 = n
		}
		all += n
	}
	return pid1, all
}

// pss returns the proportional set size of a process in KB (proc_pid_smaps(5)).
func pss(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	_, v, _ := strings.Cut(string(text), "\nPss:")
	v, _, _ = strings.Cut(v, "kB")
	return strconv.ParseFloat(strings.TrimSpace(v), 64)
}
