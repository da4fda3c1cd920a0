package check

import (
	"path/filepath"
	"strings"
)

// word is an argument of a command of a script.
type word struct {
	text  string // without its expansions
	known bool   // it has none
}

// loader is a program that changes its process and executes the program in its
// arguments.
type loader struct {
	name     string
	values   string // the letters of options that take a value
	long     string // the long options that take one, which may be the next argument
	operands int    // how many arguments come before the program
	assigns  bool   // NAME=value may come before it
}

// loaders are the programs of that kind of daemontools, runit, s6, coreutils,
// util-linux and others that are common in containers. What is not here counts
// as the program itself.
var loaders = [...]loader{
	{name: "setuidgid", operands: 1},
	{name: "envuidgid", operands: 1},
	{name: "envdir", operands: 1},
	{name: "softlimit", values: "acdflmoprst"},
	{name: "setlock", operands: 1},
	{name: "pgrphack"},
	{name: "chpst", values: "uUbe/CnlLmdofcrtp"},
	{name: "s6-setuidgid", operands: 1},
	{name: "s6-envuidgid", operands: 1},
	{name: "s6-applyuidgid", values: "uUGg"},
	{name: "s6-envdir", operands: 1},
	{name: "s6-softlimit", values: "acdflmoprst"},
	{name: "s6-setlock", values: "t", operands: 1},
	{name: "s6-notifyoncheck", values: "3sTtwnc"},
	{name: "fdmove", operands: 2},
	{name: "with-contenv"},
	{name: "setuser", operands: 1},
	{name: "su-exec", operands: 1},
	{name: "gosu", operands: 1},
	{name: "sudo", values: "ughpCrtTD", assigns: true},
	{name: "env", values: "uCS", assigns: true},
	{name: "nice", values: "n", long: "adjustment"},
	{name: "ionice", values: "cnpPu", long: "class classdata"},
	{name: "taskset", operands: 1},
	{name: "nohup"},
	{name: "stdbuf", values: "ioe", long: "input output error"},
	{name: "timeout", values: "ks", long: "kill-after signal", operands: 1},
	{name: "chroot", long: "userspec groups", operands: 1},
	{name: "unshare", values: "RwSG"},
	{name: "setpriv", long: "reuid regid ruid euid rgid egid groups inh-caps ambient-caps bounding-set securebits pdeathsig selinux-label apparmor-profile"},
	{name: "tini", values: "pe"},
	{name: "dumb-init", values: "r", long: "rewrite"},
	{name: "catatonit"},
	{name: "busybox"},
}

// called returns the name of the program without directories.
func called(w word) string {
	if !w.known {
		return ""
	}
	return filepath.Base(w.text)
}

// skipLoaders returns the program that a command starts in the end, with its
// arguments.
func skipLoaders(words []word) []word {
	for len(words) > 0 {
		l := findLoader(called(words[0]))
		if l == nil {
			return words
		}
		words = l.skip(words[1:])
	}
	return words
}

func findLoader(name string) *loader {
	for i := range loaders {
		if loaders[i].name == name {
			return &loaders[i]
		}
	}
	return nil
}

// skip returns what follows the arguments of the loader itself.
func (l *loader) skip(words []word) []word {
	for len(words) > 0 && len(words[0].text) > 1 && words[0].text[0] == '-' {
		option := words[0]
		words = words[1:]
		if option.text == "--" {
			break
		}
		if option.known && l.takesNext(option.text) && len(words) > 0 {
			words = words[1:]
		}
	}
	for l.assigns && len(words) > 0 && strings.Contains(words[0].text, "=") {
		words = words[1:]
	}
	return words[min(l.operands, len(words)):]
}

// takesNext reports whether the value of an option is the next argument.
func (l *loader) takesNext(option string) bool {
	if name, long := strings.CutPrefix(option, "--"); long {
		for known := range strings.FieldsSeq(l.long) {
			if known == name {
				return true
			}
		}
		return false
	}
	i := strings.IndexAny(option[1:], l.values)
	return l.values != "" && i >= 0 && i == len(option)-2
}
