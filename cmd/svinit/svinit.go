package main

import (
	"os"
	"runtime/debug"
	"strings"

	"svinit/cmd/internal/applet"
	pid1 "svinit/init"
	"svinit/services/program"
)

const binary = "svinit"

// version is set by the build, with -ldflags "-X main.version=1.0".
var version string

const usage = `usage: svinit                    supervise the services of the scan directory
       svinit [OPTION]... [--] CMD ARG...    the same, with a main program
           -g              pass signals on to its process group
           -r TERM=QUIT    pass TERM on as QUIT; TERM= not at all
           -e 143=0        end with 0 where it ends with 143; -e 143 is the same
           -p SIGNAL       take SIGNAL as having come when our parent ends
           --leave-orphans do not stop what processes have left behind
       svinit NAME ARG...        run a tool
       svinit run FILE ARG...    execute a script, without a shell
       svinit --install DIR      make links to the tools in DIR
       svinit --install --compat DIR    links called tini, dumb-init, catatonit
       svinit --version
       svinit help [NAME|env]
`

// svinit is what the binary does under its own name, or as a file that is
// called otherwise and is none of the tools. The main program's arguments are
// its own: only what stands before it is ours.
func svinit(e *applet.Env, called string) (code int) {
	args := e.Args
	first := ""
	if len(args) > 0 {
		first = args[0]
	}
	switch {
	case first == "--version" && len(args) == 1:
		return say(e, binary+" "+buildVersion()+"\n", nil)
	case first == "--install" && (len(args) == 2 && args[1] != "--compat" || len(args) == 3 && args[1] == "--compat"):
		exe, err := os.Executable()
		if err == nil {
			err = commands.Install(args[len(args)-1], exe, len(args) == 3)
		}
		return say(e, "", err)
	case first == "help" && len(args) <= 2, (first == "--help" || first == "-h") && len(args) == 1:
		text, err := help(args[1:])
		if err != nil {
			return misuse(e, err.Error(), commandList())
		}
		return say(e, text, nil)
	case first == "--version", first == "--install", first == "help":
		return misuse(e, "wrong number of arguments after "+first, usage)
	}
	o, bad := options(args)
	if bad != "" {
		return misuse(e, bad, usage)
	}
	if err := program.CheckShebang(called, o.Command); err != nil {
		e.Say("fatal: " + err.Error())
		return applet.Wrong
	}
	return pid1.Main(o, e.Stderr)
}

// options reads what stands before a main program, and that. Letters may stand
// together, as in tini's -ge143. bad says what is wrong.
func options(args []string) (o pid1.Options, bad string) {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		first := args[0]
		args = args[1:]
		if first == "--" {
			break
		}
		if first == "--leave-orphans" {
			o.LeaveOrphans = true
			continue
		}
		letters := first[1:]
		if letters == "" || letters[0] == '-' {
			return o, "unknown option " + first
		}
		for letters != "" {
			letter := letters[:1]
			letters = letters[1:]
			if letter == "g" {
				o.Group = true
				continue
			}
			take := map[string]func(string) error{"p": o.ParentDeath.Decode, "r": o.Signals.Decode, "e": o.ExitCodes.Decode}[letter]
			if take == nil {
				return o, "unknown option " + first
			}
			value := letters
			letters = ""
			if value == "" {
				if len(args) == 0 {
					return o, "-" + letter + " takes a value"
				}
				value, args = args[0], args[1:]
			}
			if err := take(value); err != nil {
				return o, "-" + letter + ": " + err.Error()
			}
		}
	}
	o.Command = args
	return o, ""
}

// say ends with a text or an error.
func say(e *applet.Env, text string, err error) int {
	if err == nil {
		_, err = e.Stdout.WriteString(text)
	}
	if err != nil {
		e.Say("fatal: " + err.Error())
		return applet.Refused
	}
	return 0
}

// misuse ends with what is wrong in one line and how it is right.
func misuse(e *applet.Env, wrong, right string) int {
	e.Say(wrong)
	e.Stderr.WriteString(right)
	return applet.Wrong
}

func help(topic []string) (string, error) {
	if len(topic) == 0 {
		return "svinit: PID 1 and daemontools for containers, in one binary\n\n" +
			usage + "\n" + commandList() +
			"\nhelp env lists the environment variables. See the manual page svinit(8).\n", nil
	}
	switch topic[0] {
	case "env":
		return pid1.HelpEnv(), nil
	case binary:
		return help(nil)
	}
	return commands.Help(topic[0])
}

func commandList() string { return "tools:\n" + commands.Summaries() }

// buildVersion returns the version set by the build, else that of the commit.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}
