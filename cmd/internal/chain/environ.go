package chain

import "strings"

// An environment is the inherited environment of a tool and the changes to it for
// the program that it executes. The program is looked up in the inherited PATH.
type environment struct {
	inherited []string
	changes   []string // NAME=VALUE to set, NAME to unset, in order
}

// set changes the variable to value.
func (e *environment) set(name, value string) { e.changes = append(e.changes, name+"="+value) }

// unset removes the variable. As in daemontools, a name with "=" in it, which only
// a file for envdir can have, sets a variable instead.
func (e *environment) unset(name string) { e.changes = append(e.changes, name) }

// merged returns the environment with the changes, in the order of daemontools,
// which env(1) shows: the last variable takes the place of a removed one, and a
// new one is appended.
func (e *environment) merged() []string {
	if len(e.changes) == 0 {
		return e.inherited
	}
	all := append(make([]string, 0, len(e.inherited)+len(e.changes)), e.inherited...)
	for _, change := range e.changes {
		name, _, setting := strings.Cut(change, "=")
		for i, s := range all {
			if isNamed(s, name) {
				last := len(all) - 1
				all[i] = all[last]
				all = all[:last]
				break
			}
		}
		if setting {
			all = append(all, change)
		}
	}
	return all
}

// lookupEnv returns the first value of the variable.
func lookupEnv(environ []string, name string) (value string, ok bool) {
	for _, s := range environ {
		if isNamed(s, name) {
			return s[len(name)+1:], true
		}
	}
	return "", false
}

// isNamed reports whether s is NAME=VALUE with that name.
func isNamed(s, name string) bool {
	return len(s) > len(name) && s[len(name)] == '=' && s[:len(name)] == name
}
