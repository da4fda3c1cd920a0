package compat

import (
	"strings"

	"svinit/cmd/internal/applet"
)

// getopt reads options as getopt_long(3) of the GNU C library does: in
// clusters, long ones by any beginning that is clear, and, unless ordered is
// set or the environment has POSIXLY_CORRECT, also those behind the first
// operand.
type getopt struct {
	env     *applet.Env
	short   string // the letters, each followed by ':' where it takes a value
	long    []longOption
	ordered bool

	args     []string // those not read yet
	operands []string // complete when next has returned false
	cluster  string   // what is left of one
	value    string   // of the option that next returned
}

// longOption is the other name of a letter.
type longOption struct {
	name   string
	letter byte
}

// newGetopt begins with the arguments of e.
func newGetopt(e *applet.Env, short string, ordered bool, long ...longOption) *getopt {
	return &getopt{env: e, short: short, long: long, ordered: ordered || present(e, "POSIXLY_CORRECT"), args: e.Args}
}

// next returns the letter of the next option, '?' for one that is wrong, which
// it has said, and false when there are no more.
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
			return g.longNext(arg[2:]), true
		default:
			g.cluster = arg[1:]
		}
	}
	letter, g.cluster = g.cluster[0], g.cluster[1:]
	known, takes := g.known(letter)
	if !known {
		return g.bad("invalid option -- '" + string([]byte{letter}) + "'"), true
	}
	if takes {
		g.value, g.cluster = g.cluster, ""
		if g.value == "" && !g.take() {
			return g.bad("option requires an argument -- '" + string([]byte{letter}) + "'"), true
		}
	}
	return letter, true
}

// longNext is next for --arg.
func (g *getopt) longNext(arg string) byte {
	name, value, given := strings.Cut(arg, "=")
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
		return g.bad("unrecognized option '--" + name + "'")
	case 1:
	default:
		names := ""
		for _, l := range found {
			names += " '--" + l.name + "'"
		}
		return g.bad("option '--" + arg + "' is ambiguous; possibilities:" + names)
	}
	_, takes := g.known(found[0].letter)
	switch {
	case given && !takes:
		return g.bad("option '--" + found[0].name + "' doesn't allow an argument")
	case given:
		g.value = value
	case takes && !g.take():
		return g.bad("option '--" + found[0].name + "' requires an argument")
	}
	return found[0].letter
}

// take takes the next argument for a value.
func (g *getopt) take() bool {
	if len(g.args) == 0 {
		return false
	}
	g.value, g.args = g.args[0], g.args[1:]
	return true
}

func (g *getopt) known(letter byte) (known, takes bool) {
	i := strings.IndexByte(g.short, letter)
	if i < 0 || letter == ':' {
		return false, false
	}
	return true, i+1 < len(g.short) && g.short[i+1] == ':'
}

func (g *getopt) bad(what string) byte {
	g.env.Log(what)
	return '?'
}
