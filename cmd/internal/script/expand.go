package script

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// fields collects the arguments that words expand to. Unquoted text is split at
// spaces, tabs and newlines; there is no file name expansion.
type fields struct {
	done    []string
	current strings.Builder
	inField bool // current holds an argument, which may be empty
}

func (f *fields) endField() {
	if f.inField {
		f.done = append(f.done, f.current.String())
		f.current.Reset()
		f.inField = false
	}
}

func (f *fields) add(text string, quoted bool) {
	if quoted {
		f.current.WriteString(text)
		f.inField = true
		return
	}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ', '\t', '\n':
			f.endField()
		default:
			f.current.WriteByte(text[i])
			f.inField = true
		}
	}
}

// arguments expands words to arguments.
func (r *runner) arguments(words []word) ([]string, error) {
	var f fields
	for _, w := range words {
		if w.isArgs {
			f.done = append(f.done, r.args[1:]...)
			continue
		}
		if err := r.expand(w.parts, f.add); err != nil {
			return nil, err
		}
		f.endField()
	}
	return f.done, nil
}

// value expands a word that is not split into fields: the value of an
// assignment, the file name of a redirection.
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
			return &scriptError{p.pos, p.param.name + " is not set"}
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
			if r.outer != nil { // unlike NAME=value before a command, this persists
				r.outer.assign(p.param.name, value)
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
				return &scriptError{p.pos, p.param.name + " " + message}
			}
			return &scriptError{p.pos, p.param.name + ": " + message}
		}
	}
	add(value, p.quoted)
	return nil
}

// lookup returns the value of a variable or of a special parameter.
func (r *runner) lookup(name string) (value string, set bool) {
	switch {
	case name == "$":
		return strconv.Itoa(r.pid), true
	case name == "#":
		return strconv.Itoa(len(r.args) - 1), true
	case isDigits(name):
		if i, err := strconv.Atoi(name); err == nil && i < len(r.args) {
			return r.args[i], true
		}
		return "", false
	}
	return r.vars.get(name)
}
