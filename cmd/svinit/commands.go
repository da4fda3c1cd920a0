package main

import (
	"svinit/cmd/internal/applet"
	"svinit/cmd/internal/chain"
	"svinit/cmd/internal/check"
	"svinit/cmd/internal/compat"
	"svinit/cmd/internal/filter"
	"svinit/cmd/internal/script"
	"svinit/cmd/internal/super"
	"svinit/cmd/internal/svctl"
)

// commands are all tools, in the order in which help lists them. Every tool has a
// manual page in doc/man and a scenario in testdata/script.
var commands = applet.Table{
	&super.Svscan,
	&super.Supervise,
	&super.Svscanboot,
	&svctl.Svc,
	&svctl.Svstat,
	&svctl.Svok,
	&filter.Tai64n,
	&filter.Tai64nlocal,
	&filter.Readproctitle,
	&svctl.Sv,
	&svctl.Svwait,
	&svctl.Zombies,
	&check.Check,
	&chain.Setuidgid,
	&chain.Envuidgid,
	&chain.Envdir,
	&chain.Softlimit,
	&chain.Setlock,
	&chain.Pgrphack,
	&chain.Fghack,
	&chain.Chpst,
	&filter.Multilog,
	&script.Run,
	&compat.Tini,
	&compat.DockerInit,
	&compat.DumbInit,
	&compat.Catatonit,
}
