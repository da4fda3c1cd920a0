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
           -g              forward signals to its process group
           -r TERM=QUIT    forward TERM as QUIT; -r TERM= does not forward it
           -e 143=0        exit 0 if it exits 143; -e 143 is the same
           -p SIGNAL       act as if SIGNAL arrived when our parent exits
           --leave-orphans do not stop orphaned processes
       svinit NAME ARG...        run a tool
       svinit run FILE ARG...    execute a script, without a shell
       svinit --install DIR      make links to the tools in DIR
       svinit --install --compat DIR    make links called tini, dumb-init, catatonit
       svinit --version
       svinit help [NAME|env]
`

// isOwnName reports whether the binary supervises under this name also if it is not PID 1:
// one with svinit in it, as svinit-1.2, or init, as images call their entry point. Any
// other name may be a mistyped tool or an init script whose service is gone, and must not
// start a second supervisor.
func isOwnName(name string) bool { return strings.Contains(name, binary) || name == "init" }

// runSvinit runs the binary under its own name, or under a name that is not that of
// a tool. called is that name. Options before the main program are ours, all
// arguments behind it are its own.
func runSvinit(e *applet.Env, called string) (code int) {
	args := e.Args
	first := ""
	if len(args) > 0 {
		first = args[0]
	}
	switch {
	case first == "--version" && len(args) == 1:
		return printResult(e, binary+" "+buildVersion()+"\n", nil)
	case first == "--install" && (len(args) == 2 && args[1] != "--compat" || len(args) == 3 && args[1] == "--compat"):
		exe, err := os.Executable()
		if err == nil {
			err = commands.Install(args[len(args)-1], exe, len(args) == 3)
		}
		return printResult(e, "", err)
	case first == "help" && len(args) <= 2, (first == "--help" || first == "-h") && len(args) == 1:
		text, err := help(args[1:])
		if err != nil {
			return usageError(e, err.Error(), commandList())
		}
		return printResult(e, text, nil)
	case first == "--version", first == "--install", first == "help":
		return usageError(e, "wrong number of arguments after "+first, usage)
	}
	o, problem := parseOptions(args)
	if problem != "" {
		return usageError(e, problem, usage)
	}
	if err := program.CheckShebang(called, o.Command); err != nil {
		e.Log("fatal: " + err.Error())
		return applet.ExitPermanent
	}
	if !isOwnName(called) && os.Getpid() != 1 {
		return usageError(e, called+" is no tool of svinit, and no service: to supervise, call it svinit", commandList())
	}
	return pid1.Main(o, e.Stderr)
}

// parseOptions parses the options before the main program. Letters may be
// combined, as in -ge143 of tini. problem is a message about a wrong option, or "".
func parseOptions(args []string) (o pid1.Options, problem string) {
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
			decode := map[string]func(string) error{"p": o.ParentDeath.Decode, "r": o.Signals.Decode, "e": o.ExitCodes.Decode}[letter]
			if decode == nil {
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
			if err := decode(value); err != nil {
				return o, "-" + letter + ": " + err.Error()
			}
		}
	}
	o.Command = args
	return o, ""
}

// printResult prints a text or an error, and returns the exit code.
func printResult(e *applet.Env, text string, err error) int {
	if err == nil {
		_, err = e.Stdout.WriteString(text)
	}
	if err != nil {
		e.Log("fatal: " + err.Error())
		return applet.ExitTemporary
	}
	return 0
}

// usageError prints what is wrong, in one line, and the usage. It returns the exit
// code.
func usageError(e *applet.Env, problem, usage string) int {
	e.Log(problem)
	e.Stderr.WriteString(usage)
	return applet.ExitPermanent
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
