package script

import "strings"

// A variable is known by its name; one that is exported but not set is not in
// a program's environment.
type variable struct {
	name, value   string
	set, exported bool
}

// variables is in the order in which a program is given them.
type variables []variable

// inherit makes variables of an environment. What has no name that a script
// could use is handed on all the same.
func inherit(environ []string) variables {
	vars := make(variables, 0, len(environ)+4)
	for _, e := range environ {
		name, value, found := strings.Cut(e, "=")
		if found {
			vars = append(vars, variable{name, value, true, true})
		}
	}
	return vars
}

func (v variables) find(name string) int {
	for i := range v {
		if v[i].name == name {
			return i
		}
	}
	return -1
}

func (v variables) get(name string) (value string, ok bool) {
	if i := v.find(name); i >= 0 {
		return v[i].value, v[i].set
	}
	return "", false
}

// assign sets a variable, which stays exported if it was.
func (v *variables) assign(name, value string) { v.at(name).assign(value) }

func (v *variable) assign(value string) { v.value, v.set = value, true }

// at returns the variable of that name, made if there is none.
func (v *variables) at(name string) *variable {
	i := v.find(name)
	if i < 0 {
		i = len(*v)
		*v = append(*v, variable{name: name})
	}
	return &(*v)[i]
}

func (v *variables) unset(name string) {
	if i := v.find(name); i >= 0 {
		*v = append((*v)[:i], (*v)[i+1:]...)
	}
}

// environ is what a program is given.
func (v variables) environ() (environ []string) {
	for _, x := range v {
		if x.set && x.exported {
			environ = append(environ, x.name+"="+x.value)
		}
	}
	return environ
}
