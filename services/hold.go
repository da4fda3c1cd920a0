package services

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"svinit/services/svdir"
)

// holdState takes the state directory of the service directory dir: supervise
// in it, or, where that cannot serve, for whatever reason, one below a fallback.
// A place that another supervisor of this container has is no reason to try the
// next: the service must not run twice.
func holdState(cfg *Config, dir, name string) (*svdir.Held, error) {
	h, err := svdir.Hold(filepath.Join(dir, svdir.Supervise))
	if err == nil {
		h, err = shared(h, cfg.ControlGroup)
	}
	for _, base := range cfg.StateBases {
		if err == nil || errors.Is(err, svdir.ErrLocked) {
			return h, err
		}
		var berr error
		if h, berr = svdir.HoldBelow(base, cfg.ControlGroup, name, dir); berr == nil {
			h, berr = shared(h, cfg.ControlGroup)
		}
		switch {
		case berr == nil || errors.Is(berr, svdir.ErrLocked):
			err = berr
		case unwritable(berr) || errors.Is(berr, fs.ErrNotExist):
			// That there is no /run to write to is as usual as it is harmless;
			// that somebody else has made our directory there is not.
		default:
			err = fmt.Errorf("%w; %w", err, berr)
		}
	}
	return h, err
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

// unwritable says whether an error of a fallback is not worth naming.
func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
