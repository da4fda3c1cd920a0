package compat

import (
	"strings"

	"svinit/cmd/internal/applet"
)

// getopt parses options like getopt_long(3) of the GNU C library: letters may be
// clustered, long options abbreviated, and options may follow operands unless ordered or
// POSIXLY_CORRECT is set.
type getopt struct {
	env     *applet.Env
	short   string // the letters, each followed by ':' if it takes a value
	long    []longOption
	ordered bool

	args     []string // not parsed yet
	operands []string // complete after next has returned false
	cluster  string   // the rest of the current cluster
	value    string   // the value of the last option
}

// longOption is the long name of a letter.
type longOption struct {
	name   string
	letter byte
}

// newGetopt returns a parser for the arguments of e.
func newGetopt(e *applet.Env, short string, ordered bool, long ...longOption) *getopt {
	return &getopt{env: e, short: short, long: long, ordered: ordered || isSet(e, "POSIXLY_CORRECT"), args: e.Args}
}

// next returns the letter of the next option, or false at the end. It reports an invalid
// option and returns '?'.
func (g *getopt) next() (letter byte, ok bool) {
	g.value = ""
	for g.cluster == "" {
		if len(g.args) == 0 {
			return 0, false
		}
		arg := g.args[0]
		g.args = g.args[1:]
		switch {
		case arg == "--":
			g.operands = append(g.operands, g.args...)
			g.args = nil
			return 0, false
		case len(arg) < 2 || arg[0] != '-':
			g.operands = append(g.operands, arg)
			if g.ordered {
				g.operands = append(g.operands, g.args...)
				g.args = nil
			}
		case arg[1] == '-' && g.long != nil:
			return g.nextLong(arg[2:]), true
		default:
			g.cluster = arg[1:]
		}
	}
	letter, g.cluster = g.cluster[0], g.cluster[1:]
	known, takesValue := g.lookup(letter)
	if !known {
		return g.reportError("invalid option -- '" + string([]byte{letter}) + "'"), true
	}
	if takesValue {
		g.value, g.cluster = g.cluster, ""
		if g.value == "" && !g.takeValue() {
			return g.reportError("option requires an argument -- '" + string([]byte{letter}) + "'"), true
		}
	}
	return letter, true
}

// nextLong is next for the long option --arg.
func (g *getopt) nextLong(arg string) byte {
	name, value, hasValue := strings.Cut(arg, "=")
	var found []longOption
	for _, l := range g.long {
		if l.name == name {
			found = []longOption{l}
			break
		}
		if strings.HasPrefix(l.name, name) {
			found = append(found, l)
		}
	}
	switch len(found) {
	case 0:
		return g.reportError("unrecognized option '--" + name + "'")
	case 1:
	default:
		names := ""
		for _, l := range found {
			names += " '--" + l.name + "'"
		}
		return g.reportError("option '--" + arg + "' is ambiguous; possibilities:" + names)
	}
	_, takesValue := g.lookup(found[0].letter)
	switch {
	case hasValue && !takesValue:
		return g.reportError("option '--" + found[0].name + "' doesn't allow an argument")
	case hasValue:
		g.value = value
	case takesValue && !g.takeValue():
		return g.reportError("option '--" + found[0].name + "' requires an argument")
	}
	return found[0].letter
}

// takeValue uses the next argument as the value.
func (g *getopt) takeValue() bool {
	if len(g.args) == 0 {
		return false
	}
	g.value, g.args = g.args[0], g.args[1:]
	return true
}

func (g *getopt) lookup(letter byte) (known, takes bool) {
	i := strings.IndexByte(g.short, letter)
	if i < 0 || letter == ':' {
		return false, false
	}
	return true, i+1 < len(g.short) && g.short[i+1] == ':'
}

func (g *getopt) reportError(what string) byte {
	g.env.Log(what)
	return '?'
}
