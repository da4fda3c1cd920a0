package chain

import "strings"

// An environment is what a tool was given, and what it changes of it for the
// program that it becomes. The program is looked for in the PATH given.
type environment struct {
	given   []string
	changes []string // NAME=VALUE to set, NAME to unset, in order
}

// set changes the variable to value.
func (e *environment) set(name, value string) { e.changes = append(e.changes, name+"="+value) }

// unset removes the variable. As in daemontools a name with "=" in it, which
// only a file of envdir's can have, is a setting.
func (e *environment) unset(name string) { e.changes = append(e.changes, name) }

// merged returns the environment with the changes, in daemontools' order,
// which programs such as env(1) show: where a variable is taken out the last
// one moves into its place, and a new one goes to the end.
func (e *environment) merged() []string {
	if len(e.changes) == 0 {
		return e.given
	}
	all := append(make([]string, 0, len(e.given)+len(e.changes)), e.given...)
	for _, change := range e.changes {
		name, _, setting := strings.Cut(change, "=")
		for i, s := range all {
			if names(s, name) {
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

// lookup returns the first value of the variable.
func lookup(environ []string, name string) (value string, ok bool) {
	for _, s := range environ {
		if names(s, name) {
			return s[len(name)+1:], true
		}
	}
	return "", false
}

// names reports whether s is NAME=VALUE of that name.
func names(s, name string) bool {
	return len(s) > len(name) && s[len(name)] == '=' && s[:len(name)] == name
}
