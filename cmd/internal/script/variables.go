package script

import "strings"

// A variable of a script. One that is exported but not set is not in the
// environment of programs.
type variable struct {
	name, value   string
	set, exported bool
}

// variables are in the order in which programs get them.
type variables []variable

// inherit makes variables of an environment. Names that are not valid in a
// script are kept, for the programs.
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

// assign sets a variable. It does not change whether it is exported.
func (v *variables) assign(name, value string) { v.getOrAdd(name).assign(value) }

func (v *variable) assign(value string) { v.value, v.set = value, true }

// getOrAdd returns the variable of that name, which it adds if there is none.
func (v *variables) getOrAdd(name string) *variable {
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

// environ returns the environment of programs.
func (v variables) environ() (environ []string) {
	for _, x := range v {
		if x.set && x.exported {
			environ = append(environ, x.name+"="+x.value)
		}
	}
	return environ
}
