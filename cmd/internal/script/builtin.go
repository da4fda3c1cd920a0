package script

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Names are looked up in strings, with a space on each side, since a map would
// be filled at every start of every tool.
const (
	// builtins is what is ours: it changes the script's own process.
	builtins = " : cd exec export set umask unset "
	// foreign is what a shell has and we have not, and what no program in PATH
	// can stand for.
	foreign = " . [[ alias bg break builtin chdir command continue coproc declare eval exit fc fg function getopts hash jobs let local" +
		" popd pushd read readonly return select shift shopt source times trap type typeset ulimit unalias wait "
)

func among(names, name string) bool {
	return name != "" && !strings.Contains(name, " ") && strings.Contains(names, " "+name+" ")
}

// notOurs is the fault of a command that only a shell has.
func notOurs(name string, where pos) error {
	if name == "ulimit" {
		return &fault{where, "ulimit is not supported: use softlimit"}
	}
	return &fault{where, name + " is not supported: use a shell"}
}

// builtin looks at what the first word is, and at the arguments where no
// expansion can change them.
func (l *line) builtin() error {
	if len(l.words) == 0 {
		return nil
	}
	name, ok := l.words[0].static()
	if !ok {
		return nil
	}
	if among(foreign, name) {
		return notOurs(name, l.words[0].pos)
	}
	if before, _, found := strings.Cut(name, "+="); found && syntax.ValidName(before) {
		return refuse(l.words[0].pos, "appending assignments (+=)") // to dash it is a command
	}
	if !among(builtins, name) {
		return nil
	}
	l.name = name
	if len(l.sets) > 0 && (name != "exec" || len(l.words) == 1) {
		return &fault{l.sets[0].pos, "an assignment before " + name + " is not supported: put it on a line of its own"}
	}
	if name == "export" {
		return l.export()
	}
	var args []string
	for _, w := range l.words[1:] {
		text, ok := w.static()
		if !ok {
			return nil
		}
		args = append(args, text)
	}
	if wrong := misuse(name, args); wrong != "" {
		return &fault{l.words[0].pos, wrong}
	}
	return nil
}

// misuse is what is wrong with the arguments of one of builtins, but export.
func misuse(name string, args []string) string {
	switch name {
	case "cd":
		if len(args) != 1 || strings.HasPrefix(args[0], "-") {
			return "cd wants one directory, and has no options"
		}
	case "exec":
		if len(args) > 0 && strings.HasPrefix(args[0], "-") {
			return "exec has no options"
		}
	case "umask":
		if len(args) != 1 {
			return "umask wants one number"
		}
		if _, err := mask(args[0]); err != nil {
			return "umask wants an octal number from 0 to 777, not " + strconv.Quote(args[0])
		}
	case "unset":
		for _, a := range args {
			if !syntax.ValidName(a) || among(ours, a) {
				return "unset wants names of variables, not " + strconv.Quote(a)
			}
		}
	case "set":
		for _, a := range args {
			letters, ok := strings.CutPrefix(a, "-")
			if !ok || letters == "" || strings.Trim(letters, "efu") != "" {
				return "set has the options -e, -f and -u alone: use a shell"
			}
		}
		if len(args) == 0 {
			return "set wants an option: -e, -f or -u"
		}
	}
	return ""
}

func mask(s string) (int, error) {
	n, err := strconv.ParseUint(s, 8, 9)
	return int(n), err
}

// export turns the arguments NAME and NAME=value into l.sets. What is a name
// must be seen in the text.
func (l *line) export() error {
	if len(l.words) == 1 {
		return &fault{l.words[0].pos, "export wants names of variables"}
	}
	for _, w := range l.words[1:] {
		name, value, ok := w.assignment()
		if !ok {
			return &fault{w.pos, "export wants NAME or NAME=value"}
		}
		if err := settable(name, w.pos); err != nil {
			return err
		}
		if value != nil {
			if err := value.tilde(true); err != nil {
				return err
			}
		}
		l.sets = append(l.sets, set{w.pos, name, value})
	}
	l.words = l.words[:1]
	return nil
}

// assignment splits NAME=value; value is nil where there is no =.
func (w word) assignment() (name string, value *word, ok bool) {
	for i, p := range w.parts {
		if p.param != nil {
			return "", nil, false
		}
		before, after, found := strings.Cut(p.text, "=")
		name += before
		if found {
			value = &word{pos: w.pos, parts: []part{{pos: p.pos, text: after, quoted: p.quoted}}}
			value.parts = append(value.parts, w.parts[i+1:]...)
			break
		}
	}
	return name, value, syntax.ValidName(name)
}
