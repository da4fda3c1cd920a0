package applet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Install makes a symbolic link in dir for every tool of the table that has its own
// name or, with compat, for every other init. The links point to the binary exe, an
// absolute path, or to its base name if it is in dir too, so that the directory can
// be moved. Install creates the directory if it does not exist, because an image
// without a shell has no mkdir. Links that already point to exe are kept; if
// another file has the name of a tool, Install changes nothing and the error names
// the file.
func (t Table) Install(dir, exe string, compat bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	self, err := os.Stat(exe)
	if err != nil {
		return fmt.Errorf("find the program itself: %w", err)
	}
	target := exe
	if here, err := os.Stat(filepath.Join(dir, filepath.Base(exe))); err == nil && os.SameFile(here, self) {
		target = filepath.Base(exe)
	}
	var missing []string
	for _, c := range t {
		if c.Subcommand || c.Compat != compat {
			continue
		}
		link := filepath.Join(dir, c.Name)
		_, err := os.Lstat(link)
		if errors.Is(err, fs.ErrNotExist) {
			missing = append(missing, link)
			continue
		}
		if fi, err := os.Stat(link); err != nil || !os.SameFile(fi, self) {
			return fmt.Errorf("make link %s: it is there already and is not %s", link, exe)
		}
	}
	for _, link := range missing {
		if err := os.Symlink(target, link); err != nil {
			return fmt.Errorf("make link: %w", err)
		}
	}
	return nil
}
