package pid1

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"svinit/init/foreground"
	"svinit/services/svdir"
)

// Config is the configuration in the environment, variables that begin with SVINIT_.
// "svinit help env" is made from this struct.
type Config struct {
	ServiceDir   string               `split_words:"true" desc:"the scan directory, whose entries are the services; if empty, there are no services, only a main program"`
	StateDir     string               `split_words:"true" desc:"where to put the state of services whose directories cannot be written; tried before /run/svinit, /dev/shm/svinit-UID-ID and /tmp/svinit-UID-ID"`
	StopTimeout  duration             `split_words:"true" desc:"how long services and loggers may take to stop before they are killed"`
	Log          logFormat            `split_words:"true" desc:"how the output of services is written: prefix, raw, or inherit (services write directly)"`
	Group        yesNo                `split_words:"true" desc:"forward signals to the main program's process group, not to it alone"`
	ExitCodes    foreground.ExitCodes `split_words:"true" desc:"exit codes to replace those of the main program, as in 143=0,3=7; 143 is the same as 143=0"`
	Setsid       yesNo                `split_words:"true" desc:"give the main program a session of its own, and our terminal with it"`
	LeaveOrphans yesNo                `split_words:"true" desc:"do not stop orphaned processes at the end, as tini does not; otherwise they get TERM, and in the end KILL"`
	ParentDeath  foreground.Signal    `split_words:"true" desc:"when not PID 1: treat the exit of the parent process as this signal"`
	ControlGroup string               `split_words:"true" desc:"a group, by name or number, whose members may read the status of services and command them"`
	Signals      foreground.SignalMap `split_words:"true" desc:"signals to translate, as in TERM=QUIT,HUP= (nothing: not forwarded); 15:3,1:0 is the same. Without a main program: WINCH=TERM makes WINCH stop the container"`
}

const prefix = "svinit"

// defaults returns the Config of an environment without variables SVINIT_.
func defaults() Config {
	return Config{ServiceDir: svdir.ScanDir, StopTimeout: duration(svdir.StopTimeout), Log: logPrefix}
}

// readConfig reads the environment. The error names the variable. Without any
// variable SVINIT_ the defaults are returned at once: to look each of them up by
// reflection takes as long as starting a thread.
func readConfig() (Config, error) {
	c := defaults()
	var err error
	isOurs := func(v string) bool { return strings.HasPrefix(v, "SVINIT_") }
	if slices.ContainsFunc(os.Environ(), isOurs) {
		err = envconfig.Process(prefix, &c)
	}
	var bad *envconfig.ParseError
	if errors.As(err, &bad) {
		return c, fmt.Errorf("%s=%q: %w", bad.KeyName, bad.Value, bad.Err)
	}
	if err != nil {
		return c, err
	}
	if c.ServiceDir != "" {
		if c.ServiceDir, err = filepath.Abs(c.ServiceDir); err != nil {
			return c, fmt.Errorf("SVINIT_SERVICE_DIR=%q: %w", c.ServiceDir, err)
		}
	}
	if c.StateDir != "" && !filepath.IsAbs(c.StateDir) {
		return c, fmt.Errorf("SVINIT_STATE_DIR=%q: not an absolute path", c.StateDir)
	}
	return c, nil
}

// add adds the options, which prevail over the environment.
func (c *Config) add(o Options) {
	c.LeaveOrphans = c.LeaveOrphans || yesNo(o.LeaveOrphans)
	c.Group = c.Group || yesNo(o.Group)
	if o.ParentDeath != 0 {
		c.ParentDeath = o.ParentDeath
	}
	c.Signals = merged(c.Signals, o.Signals)
	c.ExitCodes = merged(c.ExitCodes, o.ExitCodes)
}

// merged returns a with the entries of b added.
func merged[M ~map[K]V, K comparable, V any](a, b M) M {
	if a == nil {
		return b
	}
	maps.Copy(a, b)
	return a
}

// HelpEnv returns the table of the variables: name, default, meaning.
func HelpEnv() string {
	var s strings.Builder
	for f, value := range reflect.ValueOf(defaults()).Fields() {
		fmt.Fprintf(&s, "%s_%s", strings.ToUpper(prefix), envName(f.Name))
		if !value.IsZero() || value.Kind() == reflect.Bool {
			fmt.Fprintf(&s, " (default %v)", value)
		}
		fmt.Fprintf(&s, "\n\t%s\n", f.Tag.Get("desc"))
	}
	return s.String()
}

// envName splits a field's name as envconfig does: StateDir, STATE_DIR.
func envName(field string) string {
	var s strings.Builder
	for i, r := range field {
		if i > 0 && r >= 'A' && r <= 'Z' {
			s.WriteByte('_')
		}
		s.WriteRune(r)
	}
	return strings.ToUpper(s.String())
}

// duration is a value such as 8s.
type duration time.Duration

func (d duration) String() string { return time.Duration(d).String() }

// Decode implements envconfig.Decoder.
func (d *duration) Decode(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return errors.New("not a time such as 8s or 500ms")
	}
	*d = duration(v)
	return nil
}

// yesNo is a value that is true or false.
type yesNo bool

// Decode implements envconfig.Decoder.
func (y *yesNo) Decode(s string) error {
	v, err := strconv.ParseBool(s)
	if err != nil {
		return errors.New("neither true nor false")
	}
	*y = yesNo(v)
	return nil
}

// logFormat is the value of SVINIT_LOG.
type logFormat string

const (
	logPrefix  logFormat = "prefix"
	logRaw     logFormat = "raw"
	logInherit logFormat = "inherit"
)

// Decode implements envconfig.Decoder.
func (l *logFormat) Decode(s string) error {
	switch *l = logFormat(s); *l {
	case logPrefix, logRaw, logInherit:
		return nil
	}
	return errors.New("not one of prefix, raw, inherit")
}
