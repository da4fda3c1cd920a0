package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// clean are run and log/run scripts as the documentation of runit, s6,
// daemontools and baseimage-docker has them, and as images have them. Nothing is
// wrong with them, so nothing is found.
var clean = map[string]string{
	"runit socklog":        sh + "exec 2>&1\nexec chpst -Unobody socklog unix /dev/log\n",
	"runit cron":           sh + "exec 2>&1\nexec cron -f\n",
	"runit apache":         sh + "exec 2>&1\nexec apache2 -DNO_DETACH -f /etc/apache2/apache2.conf\n",
	"runit apache-ssl":     sh + "exec 2>&1\nexec chpst -e ./env envuidgid www-data apache2 -DFOREGROUND\n",
	"runit bincimap":       sh + "exec 2>&1\nexec \\\n  chpst -m32000000 \\\n  tcpsvd -vllocalhost -x data.cdb 0 143 \\\n  bincimap-up --logtype=multilog\n",
	"runit dnscache":       sh + "exec 2>&1\nexec <seed\nexec chpst -e ./env -u dnscache:nofiles -o250 -d3000000 dnscache\n",
	"runit exim":           sh + "exec 2>&1\nexec exim -bdf -q30m\n",
	"runit getty":          sh + "exec chpst -P getty 38400 tty2 linux\n",
	"runit mysqld":         sh + "cd /\numask 077\n\nMYSQLADMIN='/usr/bin/mysqladmin --defaults-extra-file=/etc/mysql/debian.cnf'\ntrap \"$MYSQLADMIN shutdown\" 0\ntrap 'exit 2' 1 2 3 15\n\n/usr/bin/mysqld_safe & wait\n",
	"runit nullmailer":     sh + "exec 2>&1\nrm -f /var/run/nullmailer.pid\nexec chpst -u mail /usr/sbin/nullmailer-send\n",
	"runit postfix":        sh + "exec 1>&2\n\ndaemon_directory=/usr/lib/postfix \\\n  command_directory=/usr/sbin \\\n  config_directory=/etc/postfix \\\n  queue_directory=/var/spool/postfix \\\n  /etc/postfix/postfix-script check || exit 1\nexec /usr/lib/postfix/master\n",
	"runit smbd":           sh + "sv start nmbd || exit 1\nexec smbd -F -S </dev/null\n",
	"runit ssh":            sh + "exec 2>&1\nexec /usr/sbin/sshd -D -e\n",
	"runit syslog":         sh + "exec 2>&1\nexec chpst -P syslogd -n\n",
	"runit svlogd":         sh + "exec chpst -ulog svlogd -tt ./main\n",
	"runit sleep":          sh + "sv check dependency >/dev/null || exit 1\nexec 2>&1\nif [ -e ./conf ]; then . ./conf; fi\nexec server ${OPTIONS:-}\n",
	"s6 notification":      sh + "exec 2>&1\nexec s6-notifyoncheck -d -n 20 -w 500 s6-setuidgid www nginx -g 'daemon off;'\n",
	"s6 logger":            sh + "exec s6-setuidgid log s6-log -b n20 s1000000 t /var/log/web\n",
	"s6 softlimit":         sh + "exec s6-softlimit -m 100000000 s6-envdir ./env server\n",
	"s6 fghack":            sh + "exec fghack nginx\n",
	"daemontools qmail":    sh + "exec env - PATH=\"/var/qmail/bin:$PATH\" \\\nqmail-start ./Mailbox\n",
	"daemontools tcp":      sh + "QMAILDUID=`id -u qmaild`\nNOFILESGID=`id -g qmaild`\nexec /usr/local/bin/softlimit -m 2000000 \\\n  /usr/local/bin/tcpserver -v -R -l 0 -u \"$QMAILDUID\" -g \"$NOFILESGID\" 0 smtp /var/qmail/bin/qmail-smtpd 2>&1\n",
	"daemontools multilog": sh + "exec setuidgid qmaill multilog t s100000 n20 /var/log/qmail\n",
	"daemontools fifo":     sh + "exec 2>&1\nexec pgrphack setuidgid server envdir ./env softlimit -d2000000 server <./fifo\n",
	"baseimage memcached":  sh + "# `/sbin/setuser memcache` runs the given command as the user `memcache`.\nexec /sbin/setuser memcache /usr/bin/memcached >>/var/log/memcached.log 2>&1\n",
	"baseimage cron":       sh + "# Touch cron files to fix 'NUMBER OF HARD LINKS > 1' issue.\ntouch -c /var/spool/cron/crontabs/*\nexec /usr/sbin/cron -f\n",
	"baseimage sshd":       sh + "set -e\nif [ ! -d /var/run/sshd ]; then\n\tmkdir -p /var/run/sshd\nfi\nexec /usr/sbin/sshd -D\n",
	"baseimage syslog-ng":  "#!/bin/bash\nset -em\n\nPIDFILE=\"/var/run/syslog-ng.pid\"\nSYSLOGNG_OPTS=\"\"\n[ -r /etc/default/syslog-ng ] && . /etc/default/syslog-ng\nexec syslog-ng -F -p \"$PIDFILE\" $SYSLOGNG_OPTS\n",
	"baseimage forwarder":  sh + "exec tail -F -n 0 /var/log/syslog\n",
	"image php":            sh + "set -e\nif [ -n \"$DEBUG\" ]; then\n  exec php-fpm -F -d display_errors=1\nelse\n  exec php-fpm -F -R\nfi\n",
	"image redis":          sh + "exec setpriv --reuid redis --regid=redis --clear-groups redis-server /nonexistent/redis.conf --save ''\n",
	"image postgres":       "#!/bin/bash\nset -euo pipefail\nexec gosu postgres postgres -D \"${PGDATA:-/var/lib/postgresql/data}\" -c 'listen_addresses=*'\n",
	"image worker":         sh + "while true; do\n  php artisan schedule:run\n  sleep 60\ndone\n",
	"image entrypoint":     "#!/bin/bash\nif [[ ${1-} == -* ]]; then set -- server \"$@\"; fi\nfor f in /docker-entrypoint.d/*; do [[ -x $f ]] && \"$f\"; done\nexec \"$@\"\n",
	"image java":           "#!/bin/bash\ncd /opt/app || exit\nJAVA_OPTS=(-Xmx512m -Dfoo=bar)\nexec java \"${JAVA_OPTS[@]}\" -jar app.jar\n",
	"image gunicorn":       sh + "exec gunicorn -w 4 -b 0.0.0.0:8000 --access-logfile - app:app\n",
}

func TestCleanScripts(t *testing.T) {
	if len(clean) < 20 {
		t.Fatalf("%d scripts", len(clean))
	}
	for name, content := range clean {
		if out, code := check(t, tree{"web/run": content, "web/log/run": content}); out != "" || code != 0 {
			t.Errorf("%s: exit code %d\n%s", name, code, out)
		}
	}
}

// The services of the demo are clean.
func TestServicesOfThisRepository(t *testing.T) {
	const docker = "../../../docker"
	found := 0
	err := filepath.WalkDir(docker, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != "run" || d.IsDir() || filepath.Dir(path) == filepath.Join(docker, "demo") || filepath.Base(filepath.Dir(path)) == "log" {
			return err
		}
		found++
		if out, code := checkArgs(t, nil, filepath.Dir(path)); out != "" || code != 0 {
			t.Errorf("%s: exit code %d\n%s", path, code, out)
		}
		return nil
	})
	if err != nil || found < 5 {
		t.Errorf("%d services, %v", found, err)
	}
}

// The services of these scenarios stay in the foreground, and are read as a shell
// reads them. Those of other scenarios may be broken on purpose.
func TestServicesOfScenarios(t *testing.T) {
	for _, name := range []string{"boot", "children", "commands", "descriptors", "environment", "finish", "life", "limits", "logger", "main", "many", "multilog", "output", "scan", "stop", "supervise", "sv"} {
		archive, err := txtar.ParseFile("../../../testdata/script/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		files := make(tree)
		for _, f := range archive.Files {
			if name, ok := strings.CutPrefix(f.Name, "service/"); ok {
				files[name] = string(f.Data)
			}
		}
		out, _ := check(t, files)
		for _, wrong := range []string{textBackground, "may not understand", "puts itself", "leaves its work", "CR LF", "byte order"} {
			if strings.Contains(out, wrong) {
				t.Errorf("%s\n%s", name, out)
			}
		}
	}
}
