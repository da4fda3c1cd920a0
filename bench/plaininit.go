package main

import "slices"

// A plainInit runs one program and reaps: tini and similar programs.
type plainInit struct {
	name  string
	peer  bool                // also its Debian package
	build func(*bench) *build // of svinit: its binary; nil for all others
	argv  func(b *bench, cmd ...string) []string
}

func newBuild(b *bench) *build { return b.svinit }
func oldBuild(b *bench) *build { return b.old }

var plainInits = []plainInit{
	{current, false, newBuild, func(b *bench, cmd ...string) []string { return append([]string{b.svinit.path}, cmd...) }},
	{previous, false, oldBuild, func(b *bench, cmd ...string) []string { return append([]string{b.old.path}, cmd...) }},
	{"as tini", false, newBuild, func(b *bench, cmd ...string) []string { return append([]string{b.svinit.tini, "--"}, cmd...) }},
	{"old as tini", false, oldBuild, func(b *bench, cmd ...string) []string { return append([]string{b.old.tini, "--"}, cmd...) }},
	{"tini", true, nil, func(_ *bench, cmd ...string) []string { return append([]string{"tini", "--"}, cmd...) }},
	{"dumb-init", true, nil, func(_ *bench, cmd ...string) []string { return append([]string{"dumb-init", "-c"}, cmd...) }},
	{"catatonit", true, nil, func(_ *bench, cmd ...string) []string { return append([]string{"catatonit", "--"}, cmd...) }},
	{baseline.name, false, nil, func(b *bench, cmd ...string) []string { return append([]string{b.helper("baseline"), "wait"}, cmd...) }},
}

// plainInits returns those plain inits that can be measured.
func (b *bench) plainInits() []plainInit {
	return slices.DeleteFunc(slices.Clone(plainInits), func(i plainInit) bool {
		return i.build != nil && i.build(b) == nil || i.peer && !installed(i.name)
	})
}

func initTitles(all []plainInit) (names []string) {
	for _, i := range all {
		names = append(names, i.name)
	}
	return names
}
