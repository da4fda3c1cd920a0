package services

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"svinit/services/svdir"
)

// holdState takes the state directory of the service directory dir: supervise
// in it, or, where that cannot be written, the one named name below a
// fallback.
func holdState(cfg *Config, dir, name string) (*svdir.Held, error) {
	h, err := svdir.Hold(filepath.Join(dir, svdir.Supervise))
	if err == nil {
		return shared(h, cfg.ControlGroup)
	}
	if !unwritable(err) {
		return h, err
	}
	for _, base := range cfg.StateBases {
		if cerr := svdir.Claim(base, cfg.ControlGroup); cerr != nil {
			// That there is no /run to write to is as usual as it is harmless;
			// that somebody else has made our directory there is not.
			if !unwritable(cerr) && !errors.Is(cerr, fs.ErrNotExist) {
				err = fmt.Errorf("%w; %w", err, cerr)
			}
			continue
		}
		path := filepath.Join(base, name)
		// The logger's is below its service's, which has been held first or
		// will be.
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		h, err := svdir.Hold(path)
		if err == nil {
			if err = svdir.Mark(path, dir); err != nil {
				h.Release()
				return nil, err
			}
			return shared(h, cfg.ControlGroup)
		}
		return h, err
	}
	return nil, err
}

// shared opens a state directory to the control group, if there is one.
func shared(h *svdir.Held, gid int) (*svdir.Held, error) {
	if gid == 0 {
		return h, nil
	}
	if err := h.Share(gid); err != nil {
		h.Release()
		return nil, err
	}
	return h, nil
}

// unwritable says whether another place may do better.
func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
