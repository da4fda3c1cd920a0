package script

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// fields collects the arguments that words become. What is not quoted is split
// at spaces, tabs and line ends; nothing is looked up among files.
type fields struct {
	done []string
	now  strings.Builder
	open bool // there is an argument in now, be it empty
}

func (f *fields) end() {
	if f.open {
		f.done = append(f.done, f.now.String())
		f.now.Reset()
		f.open = false
	}
}

func (f *fields) add(text string, quoted bool) {
	if quoted {
		f.now.WriteString(text)
		f.open = true
		return
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\n':
			f.end()
		default:
			f.now.WriteByte(text[i])
			f.open = true
		}
	}
}

// arguments expands words to arguments.
func (r *runner) arguments(words []word) ([]string, error) {
	var f fields
	for _, w := range words {
		if w.args {
			f.done = append(f.done, r.args[1:]...)
			continue
		}
		if err := r.expand(w.parts, f.add); err != nil {
			return nil, err
		}
		f.end()
	}
	return f.done, nil
}

// value expands a word that is never split: of an assignment, of a
// redirection.
func (r *runner) value(parts []part) (string, error) {
	var b strings.Builder
	err := r.expand(parts, func(text string, _ bool) { b.WriteString(text) })
	return b.String(), err
}

func (r *runner) expand(parts []part, add func(text string, quoted bool)) error {
	for _, p := range parts {
		if p.param == nil {
			add(p.text, p.quoted)
			continue
		}
		if err := r.parameter(p, add); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) parameter(p part, add func(text string, quoted bool)) error {
	value, set := r.lookup(p.param.name)
	null := !set
	switch p.param.op {
	case syntax.DefaultUnsetOrNull, syntax.ErrorUnsetOrNull, syntax.AssignUnsetOrNull, syntax.AlternateUnsetOrNull:
		null = value == ""
	}
	switch p.param.op {
	case 0:
		if !set && r.nounset {
			return &fault{p.pos, p.param.name + " is not set"}
		}
	case syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		if null {
			value = ""
			break
		}
		return r.expand(p.param.arg, add)
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull:
		if null {
			return r.expand(p.param.arg, add)
		}
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		if null {
			var err error
			if value, err = r.value(p.param.arg); err != nil {
				return err
			}
			r.vars.assign(p.param.name, value)
			if r.under != nil { // unlike NAME=value before a command, this stays
				r.under.assign(p.param.name, value)
			}
		}
	case syntax.ErrorUnset, syntax.ErrorUnsetOrNull:
		if null {
			message, err := r.value(p.param.arg)
			if err != nil {
				return err
			}
			if message == "" {
				message = "is not set"
				if set {
					message = "is empty"
				}
				return &fault{p.pos, p.param.name + " " + message}
			}
			return &fault{p.pos, p.param.name + ": " + message}
		}
	}
	add(value, p.quoted)
	return nil
}

// lookup returns a variable's value, or that of a parameter of the shell.
func (r *runner) lookup(name string) (value string, set bool) {
	switch {
	case name == "$":
		return strconv.Itoa(r.pid), true
	case name == "#":
		return strconv.Itoa(len(r.args) - 1), true
	case digit(name):
		if i, err := strconv.Atoi(name); err == nil && i < len(r.args) {
			return r.args[i], true
		}
		return "", false
	}
	return r.vars.get(name)
}
