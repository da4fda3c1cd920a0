package svdir

import (
	"os"
	"path/filepath"
)

// States returns the state directories that the service directory dir has or had:
// the one in it, and those in the fallbacks that are marked as its own. They need
// not exist, and nobody need listen there. custom is the value of
// $SVINIT_STATE_DIR.
func States(dir, custom string) []string {
	states := []string{dir + "/" + Supervise}
	for _, uid := range owners() {
		for _, base := range bases(custom, uid, here().ids()) {
			if !ownedBy(base, uid) {
				continue
			}
			names, _ := entries(base)
			for _, name := range names {
				if s := base + "/" + name; serves(s, dir) {
					states = append(states, s)
				}
			}
		}
	}
	return states
}

// Surroundings returns the directories in which something changes before a
// supervisor listens for the service directory dir where nobody does: in one of
// states its FIFO ok is opened, and in one of parents a state directory appears.
// Not all of them need exist. A parent that appears has more of both.
func Surroundings(dir, custom string) (states, parents []string) {
	own := dir + "/" + Supervise
	states, parents = []string{own}, []string{dir}
	if target, err := os.Readlink(own); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		parents = append(parents, filepath.Dir(target))
	}
	for _, uid := range owners() {
		for _, base := range bases(custom, uid, here().ids()) {
			parents = append(parents, filepath.Dir(base))
			if !ownedBy(base, uid) {
				continue
			}
			parents = append(parents, base)
			names, _ := entries(base)
			for _, name := range names {
				states = append(states, base+"/"+name)
			}
		}
	}
	return states, parents
}
