package pid1

import (
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"svinit/init/foreground"
)

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want Config
		err  string
	}{
		{want: Config{ServiceDir: "/etc/service", StopTimeout: duration(8 * time.Second), Log: logPrefix}},
		// With a variable of the prefix envconfig reads the environment.
		{env: map[string]string{"SVINIT_": ""}, want: Config{ServiceDir: "/etc/service", StopTimeout: duration(8 * time.Second), Log: logPrefix}},
		{
			env: map[string]string{
				"SVINIT_SERVICE_DIR": "/srv//", "SVINIT_STATE_DIR": "/state", "SVINIT_STOP_TIMEOUT": "1m",
				"SVINIT_LOG": "raw", "SVINIT_GROUP": "1", "SVINIT_SETSID": "1", "SVINIT_SIGNALS": "TERM=QUIT, hup=,SIGUSR1=12,2:0,3:SIGINT,14=0,PWR=rtmin+3,SIGRTMAX-1=RTMIN",
				"SVINIT_EXIT_CODES":    "143=0, 130,3=255",
				"SVINIT_LEAVE_ORPHANS": "true", "SVINIT_PARENT_DEATH": "kill", "SVINIT_CONTROL_GROUP": "adm",
			},
			want: Config{
				ServiceDir: "/srv", StateDir: "/state", StopTimeout: duration(time.Minute), Log: logRaw, Group: true, Setsid: true,
				LeaveOrphans: true, ParentDeath: foreground.Signal(syscall.SIGKILL), ControlGroup: "adm",
				Signals: foreground.SignalMap{syscall.SIGTERM: syscall.SIGQUIT, syscall.SIGHUP: 0, syscall.SIGUSR1: syscall.SIGUSR2,
					syscall.SIGINT: 0, syscall.SIGQUIT: syscall.SIGINT, syscall.SIGALRM: 0, syscall.SIGPWR: 37, 63: 34},
				ExitCodes: foreground.ExitCodes{143: 0, 130: 0, 3: 255},
			},
		},
		{env: map[string]string{"SVINIT_STOP_TIMEOUT": "8"}, err: `SVINIT_STOP_TIMEOUT="8": not a time such as 8s or 500ms`},
		{env: map[string]string{"SVINIT_LOG": ""}, err: `SVINIT_LOG="": not one of prefix, raw, inherit`},
		{env: map[string]string{"SVINIT_GROUP": "yes"}, err: `SVINIT_GROUP="yes": neither true nor false`},
		{env: map[string]string{"SVINIT_PARENT_DEATH": "soon"}, err: `SVINIT_PARENT_DEATH="soon": "SOON" is not a signal`},
		{env: map[string]string{"SVINIT_STATE_DIR": "x"}, err: `SVINIT_STATE_DIR="x": not an absolute path`},
		{env: map[string]string{"SVINIT_SIGNALS": "0:15"}, err: `SVINIT_SIGNALS="0:15": "0" is not a signal`},
		{env: map[string]string{"SVINIT_SIGNALS": "15:3x"}, err: `SVINIT_SIGNALS="15:3x": "3X" is not a signal`},
		{env: map[string]string{"SVINIT_SIGNALS": "TERM=65"}, err: `SVINIT_SIGNALS="TERM=65": "65" is not a signal`},
		{env: map[string]string{"SVINIT_SIGNALS": "RTMIN+31=1"}, err: `SVINIT_SIGNALS="RTMIN+31=1": "RTMIN+31" is not a signal`},
		{env: map[string]string{"SVINIT_EXIT_CODES": "256=0"}, err: `SVINIT_EXIT_CODES="256=0": "256=0" is not of the form 143=0, exit codes from 0 to 255`},
		{env: map[string]string{"SVINIT_EXIT_CODES": "1=-1"}, err: `SVINIT_EXIT_CODES="1=-1": "1=-1" is not of the form 143=0, exit codes from 0 to 255`},
		// Variables without the prefix are ignored.
		{env: map[string]string{"LOG": "loud", "GROUP": "x"}, want: Config{ServiceDir: "/etc/service", StopTimeout: duration(8 * time.Second), Log: logPrefix}},
	} {
		t.Run("", func(t *testing.T) {
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			got, err := readConfig()
			if err != nil || c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("%v: error %v, want %s", c.env, err, c.err)
				}
				return
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%v: %+v, want %+v", c.env, got, c.want)
			}
		})
	}
}

// Every field has a line of help, under the name that is read.
func TestHelpEnv(t *testing.T) {
	help := HelpEnv()
	for _, name := range []string{"SERVICE_DIR", "STATE_DIR", "STOP_TIMEOUT", "LOG", "GROUP", "SETSID", "SIGNALS"} {
		if !strings.Contains(help, "SVINIT_"+name) {
			t.Errorf("no SVINIT_%s in\n%s", name, help)
		}
	}
	for f := range reflect.TypeFor[Config]().Fields() {
		if f.Tag.Get("desc") == "" {
			t.Errorf("%s has no description", f.Name)
		}
	}
	for name, value := range map[string]string{"SERVICE_DIR": "/etc/service", "STOP_TIMEOUT": "8s", "LOG": "prefix", "GROUP": "false", "SETSID": "false", "LEAVE_ORPHANS": "false"} {
		if !strings.Contains(help, "SVINIT_"+name+" (default "+value+")\n") {
			t.Errorf("SVINIT_%s does not have the default %s in\n%s", name, value, help)
		}
	}
	if n := strings.Count(help, "(default"); n != 6 {
		t.Errorf("%d defaults in\n%s", n, help)
	}
	if n := strings.Count(help, "\n"); n != 2*reflect.TypeFor[Config]().NumField() {
		t.Errorf("%d lines:\n%s", n, help)
	}
}
