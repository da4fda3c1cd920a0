package check

import (
	"strings"
	"testing"
)

// Programs that put themselves into the background, and the same in the
// foreground.
func TestDaemons(t *testing.T) {
	needs := func(name, option string) string {
		return name + " puts itself into the background without " + option + ": add that"
	}
	by := func(name, option string) string {
		return name + " leaves its work to the background with " + option + ": start the program in the foreground"
	}
	conf := func(name, words, file string) string {
		return name + ` puts itself into the background with "` + words + `" in ` + file + ": remove that line"
	}
	files := tree{
		"empty.conf": "user www;\n# daemon off;\n", "off.conf": "user www;\n daemon  off;\n",
		"fpm.conf": "[global]\n;daemonize = no\n", "fpm-no.conf": "[global]\ndaemonize=no\n",
		"redis.conf": "port 1\ndaemonize yes\n", "redis-no.conf": "daemonize no\n",
		"ha.cfg": "global\n\tdaemon\n", "ha-no.cfg": "global\n\tmaxconn 5\n",
		"super.conf": "[supervisord]\nnodaemon=true\n",
	}
	for _, c := range []struct{ command, want string }{
		{"nginx -c empty.conf", needs("nginx", "-g 'daemon off;'")},
		{"nginx -c empty.conf -g 'pid /run/x;'", needs("nginx", "-g 'daemon off;'")},
		{"nginx -c off.conf", ""},
		{"nginx -g 'daemon off;'", ""},
		{`/usr/sbin/nginx -c /etc/nginx/nginx.conf -g "pid /run/x; daemon   off;"`, ""},
		{`nginx $NGINX_OPTS`, ""},
		{"php-fpm8.2 -y fpm.conf", needs("php-fpm", "-F")},
		{"php-fpm -y fpm-no.conf", ""},
		{"php-fpm8.2 --nodaemonize", ""},
		{"php-fpm7.4 -FO", ""},
		{"php-fpm -D", by("php-fpm", "-D")},
		{"redis-server --daemonize yes", by("redis-server", "--daemonize yes")},
		{"redis-server redis.conf --port 5", conf("redis-server", "daemonize yes", "DIR/redis.conf")},
		{"redis-server redis-no.conf", ""},
		{"redis-server", ""},
		{"memcached -d -u memcache", by("memcached", "-d")},
		{"setuidgid memcached memcached -v", ""},
		{"memcached -u daemon -l 127.0.0.1", ""},
		{"/usr/sbin/sshd", needs("sshd", "-D")},
		{"/usr/sbin/sshd -De", ""},
		{"sshd -eD", ""},
		{"cron", needs("cron", "-f")},
		{"cron -f -L 15", ""},
		{"crond -f -d 8", ""},
		{"rsyslogd", needs("rsyslogd", "-n")},
		{"rsyslogd -n -f /etc/rsyslog.conf", ""},
		{"apache2ctl start", needs("apache2ctl", "-D FOREGROUND")},
		{"apache2ctl -D FOREGROUND", ""},
		{"apache2 -DFOREGROUND", ""},
		{"httpd -k start", by("httpd", "-k start")},
		{"httpd -DFOREGROUND", ""},
		{"httpd -listen 127.0.0.1", ""},
		{"lighttpd -f /etc/lighttpd/lighttpd.conf", needs("lighttpd", "-D")},
		{"lighttpd -D -f x", ""},
		{"haproxy -f ha.cfg", conf("haproxy", "daemon", "DIR/ha.cfg")},
		{"haproxy -f ha.cfg -db", ""},
		{"haproxy -f ha-no.cfg", ""},
		{"haproxy -D -f ha-no.cfg", by("haproxy", "-D")},
		{"pg_ctl -D /var/lib/data start", by("pg_ctl", "start")},
		{"setuidgid postgres postgres -D /data", ""},
		{"mongod --fork --logpath x", by("mongod", "--fork")},
		{"snmpd -Lsd -Lf /dev/null", needs("snmpd", "-f")},
		{"snmpd -f -Lo", ""},
		{"nagios4 -d /etc/nagios4/nagios.cfg", by("nagios", "-d")},
		{"nagios4 /etc/nagios4/nagios.cfg", ""},
		{"supervisord -c super.conf", ""},
		{"supervisord -c empty.conf", needs("supervisord", "-n")},
		{"gunicorn --daemon app:app", by("gunicorn", "--daemon")},
		{"service nginx start", by("service", "start")},
		{"./service start", ""},
		{"/etc/init.d/nginx start", "/etc/init.d/nginx starts a daemon in the background: start the program itself, in the foreground"},
		{"chpst -u nginx server", ""},
		{"fghack nginx -c empty.conf", ""},
		{"setsid server", needs("setsid", "-w")},
		{"postfix start-fg", ""},
	} {
		want := ""
		if c.want != "" {
			want = "2: error: " + c.want
		}
		got := findingsOf(t, sh+"exec "+c.command+"\n", files)
		if program := strings.Fields(c.command)[0]; strings.HasPrefix(want, "2: error: ") && strings.HasPrefix(program, "php-fpm") {
			want = strings.ReplaceAll(want, "error: php-fpm ", "error: "+program+" ")
		} else if strings.HasPrefix(program, "nagios4") {
			want = strings.ReplaceAll(want, "error: nagios ", "error: nagios4 ")
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", c.command, got, want)
		}
	}
	// Where the configuration may be elsewhere it is a warning.
	if got := findingsOf(t, sh+"exec nginx -c /nonexistent/nginx.conf\n", nil); !strings.HasPrefix(got, "2: warning: nginx puts itself into the background") {
		t.Error(got)
	}
}

// The table has no entry that cannot be found, and none twice.
func TestTableOfDaemons(t *testing.T) {
	for i, d := range daemons {
		if found := findDaemon(d.name); found != &daemons[i] {
			t.Errorf("%s is found as %v", d.name, found)
		}
		if d.stay == "" && d.fork == "" && d.conf == nil {
			t.Errorf("%s has nothing", d.name)
		}
		if findLoader(d.name) != nil {
			t.Errorf("%s is a loader too", d.name)
		}
	}
}
