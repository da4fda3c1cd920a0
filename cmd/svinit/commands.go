package main

import (
	"svinit/cmd/internal/applet"
	"svinit/cmd/internal/script"
	"svinit/cmd/internal/super"
	"svinit/cmd/internal/svctl"
)

// commands is every tool, in the order in which help lists them. A tool has a
// manual page in doc/man and a scenario in testdata/script.
var commands = applet.Table{
	&super.Svscan,
	&super.Supervise,
	&svctl.Svc,
	&svctl.Svstat,
	&svctl.Svok,
	&script.Run,
}
