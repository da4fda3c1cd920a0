package super

import (
	"svinit/cmd/internal/applet"
	"svinit/services"
)

// Svscan is svscan(8): it supervises the services of a directory.
var Svscan = applet.Command{
	Name:     "svscan",
	Synopsis: "svscan [dir]",
	Summary:  "supervise the services of a directory",
	Section:  8,
	Help: `Supervises every service directory in dir, by default the current one, and
finds new ones at once. TERM or INT stops them all and ends svscan; the second
one kills. ALRM takes up again what was let go with svc -x.
`,
	Run: svscan,
}

func svscan(e *applet.Env) error {
	dir := "."
	if len(e.Args) > 0 {
		dir = e.Args[0]
	}
	dir, err := enter(dir)
	if err != nil {
		return err
	}
	en, err := newEngine(e)
	if err != nil {
		return err
	}
	set := services.NewSet(&en.Config, dir)
	en.run(set, set.Rescan)
	return nil
}
