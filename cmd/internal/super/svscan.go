package super

import (
	"svinit/cmd/internal/applet"
	"svinit/services"
	"svinit/services/epoll"
	"svinit/services/svdir"
)

// Svscan is svscan(8): it supervises the services of a directory.
var Svscan = applet.Command{
	Name:     "svscan",
	Synopsis: "svscan [dir]",
	Summary:  "supervise the services of a directory",
	Section:  8,
	Help: `Supervises every service directory in dir, by default the current directory, and
finds new ones at once. On TERM or INT it stops all services and exits; the second
signal kills them. After ALRM it supervises those again that svc -x has released.
`,
	Run: runSvscan,
}

func runSvscan(e *applet.Env) error {
	dir := "."
	if len(e.Args) > 0 {
		dir = e.Args[0]
	}
	dir, err := chdir(dir)
	if err != nil {
		return err
	}
	clients, err := svdir.ClaimScanDir(dir)
	if err != nil {
		return applet.Fatal("unable to supervise", err)
	}
	d, err := newDaemon(e)
	if err != nil {
		return err
	}
	if clients >= 0 {
		d.Config.Poll.Add(clients, epoll.Edge, func() { svdir.AcceptClients(clients) })
	}
	set := services.NewSet(&d.Config, dir)
	d.run(set, set.Rescan)
	return nil
}
