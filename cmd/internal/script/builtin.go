package script

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Lists of names are strings with a space on each side of a name: a map would
// have to be filled at every start of every tool.
const (
	// The supported builtins change the script's own process.
	supportedBuiltins = " : cd exec export set umask unset "
	// These builtins of shells are not supported, and no program in PATH can
	// do their work.
	unsupportedBuiltins = " . [[ alias bg break builtin chdir command continue coproc declare eval exit fc fg function getopts hash jobs let local" +
		" popd pushd read readonly return select shift shopt source times trap type typeset ulimit unalias wait "
)

func inList(names, name string) bool {
	return name != "" && !strings.Contains(name, " ") && strings.Contains(names, " "+name+" ")
}

// unsupportedBuiltin returns the error for a command that only a shell has.
func unsupportedBuiltin(name string, where pos) error {
	if name == "ulimit" {
		return &scriptError{where, "ulimit is not supported: use softlimit"}
	}
	return &scriptError{where, name + " is not supported: use a shell"}
}

// checkBuiltin checks the first word and, if they are all literal, the
// arguments of a builtin. It sets c.builtin.
func (c *command) checkBuiltin() error {
	if len(c.words) == 0 {
		return nil
	}
	name, ok := c.words[0].static()
	if !ok {
		return nil
	}
	if inList(unsupportedBuiltins, name) {
		return unsupportedBuiltin(name, c.words[0].pos)
	}
	if before, _, found := strings.Cut(name, "+="); found && syntax.ValidName(before) {
		return unsupported(c.words[0].pos, "appending assignments (+=)") // dash takes it for a command name
	}
	if !inList(supportedBuiltins, name) {
		return nil
	}
	c.builtin = name
	if len(c.assignments) > 0 && (name != "exec" || len(c.words) == 1) {
		return &scriptError{c.assignments[0].pos, "an assignment before " + name + " is not supported: put it on a line of its own"}
	}
	if name == "export" {
		return c.convertExport()
	}
	var args []string
	for _, w := range c.words[1:] {
		text, ok := w.static()
		if !ok {
			return nil
		}
		args = append(args, text)
	}
	if problem := checkArguments(name, args); problem != "" {
		return &scriptError{c.words[0].pos, problem}
	}
	return nil
}

// checkArguments returns what is wrong with the arguments of a supported
// builtin other than export, or "".
func checkArguments(name string, args []string) string {
	switch name {
	case "cd":
		if len(args) != 1 || strings.HasPrefix(args[0], "-") {
			return "cd takes one directory and no options"
		}
	case "exec":
		if len(args) > 0 && strings.HasPrefix(args[0], "-") {
			return "exec takes no options"
		}
	case "umask":
		if len(args) != 1 {
			return "umask takes one number"
		}
		if _, err := parseMask(args[0]); err != nil {
			return "umask takes an octal number from 0 to 777, not " + strconv.Quote(args[0])
		}
	case "unset":
		for _, a := range args {
			if !syntax.ValidName(a) || inList(reservedVariables, a) {
				return "unset takes names of variables, not " + strconv.Quote(a)
			}
		}
	case "set":
		for _, a := range args {
			letters, ok := strings.CutPrefix(a, "-")
			if !ok || letters == "" || strings.Trim(letters, "efu") != "" {
				return "set has only the options -e, -f and -u: use a shell"
			}
		}
		if len(args) == 0 {
			return "set needs an option: -e, -f or -u"
		}
	}
	return ""
}

func parseMask(s string) (int, error) {
	n, err := strconv.ParseUint(s, 8, 9)
	return int(n), err
}

// convertExport moves the arguments NAME and NAME=value to c.assignments. The
// names must be literal.
func (c *command) convertExport() error {
	if len(c.words) == 1 {
		return &scriptError{c.words[0].pos, "export needs names of variables"}
	}
	for _, w := range c.words[1:] {
		name, value, ok := w.splitAssignment()
		if !ok {
			return &scriptError{w.pos, "export takes NAME or NAME=value"}
		}
		if err := checkVariableName(name, w.pos); err != nil {
			return err
		}
		if value != nil {
			if err := value.checkTilde(true); err != nil {
				return err
			}
		}
		c.assignments = append(c.assignments, assignment{w.pos, name, value})
	}
	c.words = c.words[:1]
	return nil
}

// splitAssignment splits NAME=value; value is nil if there is no =.
func (w word) splitAssignment() (name string, value *word, ok bool) {
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
