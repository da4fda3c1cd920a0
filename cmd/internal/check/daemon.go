package check

import (
	"path/filepath"
	"slices"
	"strings"

	"svinit/services/spec"
)

// daemon says how a program is kept in the foreground, or put into the
// background. An option is a word, or two with a space between them, which may
// also be written as one, with or without "=". Of a short option other letters
// may follow it in the same word.
type daemon struct {
	name string // without a version, as php-fpm of php-fpm8.2
	stay string // options that keep it in the foreground, with commas; "" if it stays by itself
	fork string // options that put it into the background
	conf *conf  // a configuration file that may say it
}

// conf is a setting in a configuration file.
type conf struct {
	options string // which name the file, with commas; "" for the first operand
	paths   string // where it is otherwise, with spaces; patterns of filepath.Match
	words   string // of the line, as in "daemon off"
	stays   bool   // the setting keeps the program in the foreground; otherwise it does the opposite
}

var (
	nginxConf   = &conf{"-c", "/etc/nginx/nginx.conf /usr/local/nginx/conf/nginx.conf /usr/local/openresty/nginx/conf/nginx.conf", "daemon off", true}
	phpConf     = &conf{"-y,--fpm-config", "/etc/php/*/fpm/php-fpm.conf /etc/php*/php-fpm.conf /etc/php-fpm.conf /usr/local/etc/php-fpm.conf /usr/local/etc/php-fpm.d/*.conf", "daemonize no", true}
	redisConf   = &conf{"", "", "daemonize yes", false}
	haproxyConf = &conf{"-f", "", "daemon", false}
	superConf   = &conf{"-c,--configuration", "/etc/supervisor/supervisord.conf /etc/supervisord.conf", "nodaemon true", true}
	unboundConf = &conf{"-c", "/etc/unbound/unbound.conf /etc/unbound/unbound.conf.d/*.conf", "do-daemonize no", true}
	vsftpdConf  = &conf{"", "/etc/vsftpd.conf /etc/vsftpd/vsftpd.conf", "background yes", false}
	clamdConf   = &conf{"-c,--config-file", "/etc/clamav/clamd.conf /etc/clamd.conf /etc/clamd.d/*.conf", "Foreground true", true}
	mongoConf   = &conf{"-f,--config", "", "fork true", false}
)

// nginxStay is a directive in the value of -g, which may have several.
const nginxStay = "daemon off"

// daemons are well-known programs that leave the foreground. For one that stays
// there by itself only options are listed that make it leave.
var daemons = [...]daemon{
	{name: "nginx", stay: nginxStay, conf: nginxConf},
	{name: "openresty", stay: nginxStay, conf: nginxConf},
	{name: "php-fpm", stay: "-F,--nodaemonize", fork: "-D,--daemonize", conf: phpConf},
	{name: "apache2", stay: "-D FOREGROUND,-X,-D NO_DETACH"},
	{name: "apache2ctl", stay: "-D FOREGROUND,-X,-D NO_DETACH"},
	{name: "apachectl", stay: "-D FOREGROUND,-X,-D NO_DETACH"},
	{name: "httpd", fork: "-k start"},
	{name: "lighttpd", stay: "-D,-i"},
	{name: "haproxy", stay: "=-db,=-Ws", fork: "=-D", conf: haproxyConf},
	{name: "varnishd", stay: "-F,=-d"},
	{name: "squid", stay: "-N,--foreground"},
	{name: "caddy", fork: "=start"},
	{name: "redis-server", fork: "--daemonize yes", conf: redisConf},
	{name: "valkey-server", fork: "--daemonize yes", conf: redisConf},
	{name: "keydb-server", fork: "--daemonize yes", conf: redisConf},
	{name: "memcached", fork: "=-d,--daemon"},
	{name: "mysqld", fork: "--daemonize,=-D"},
	{name: "mongod", fork: "--fork", conf: mongoConf},
	{name: "pg_ctl", fork: "=start,=restart"},
	{name: "pg_ctlcluster", stay: "--foreground"},
	{name: "slapd", stay: "-d"},
	{name: "rabbitmq-server", fork: "-detached"},
	{name: "elasticsearch", fork: "=-d,--daemonize"},
	{name: "mosquitto", fork: "=-d,--daemon"},
	{name: "sshd", stay: "-D,-d,-i"},
	{name: "dropbear", stay: "-F,-i"},
	{name: "cron", stay: "-f"},
	{name: "crond", stay: "-f,-n,-d,-x"},
	{name: "atd", stay: "-f,-d"},
	{name: "rsyslogd", stay: "-n,=-d"},
	{name: "syslogd", stay: "-n,-F,-d"},
	{name: "syslog-ng", stay: "-F,--foreground"},
	{name: "snmpd", stay: "=-f"},
	{name: "snmptrapd", stay: "=-f"},
	{name: "nagios", fork: "=-d,--daemon"},
	{name: "icinga2", fork: "=-d,--daemonize"},
	{name: "zabbix_agentd", stay: "-f,--foreground"},
	{name: "zabbix_server", stay: "-f,--foreground"},
	{name: "zabbix_proxy", stay: "-f,--foreground"},
	{name: "collectd", stay: "-f"},
	{name: "monit", stay: "-I"},
	{name: "fail2ban-client", fork: "=start"},
	{name: "fail2ban-server", stay: "-f"},
	{name: "keepalived", stay: "-n,--dont-fork"},
	{name: "named", stay: "-f,-g"},
	{name: "unbound", stay: "-d", conf: unboundConf},
	{name: "dnsmasq", stay: "-k,--keep-in-foreground,-d,--no-daemon"},
	{name: "chronyd", stay: "-n,-d"},
	{name: "ntpd", stay: "-n,--nofork,-d"},
	{name: "postfix", fork: "=start"},
	{name: "exim", fork: "=-bd"},
	{name: "dovecot", stay: "-F"},
	{name: "opendkim", stay: "-f"},
	{name: "clamd", stay: "-F,--foreground", conf: clamdConf},
	{name: "freshclam", fork: "=-d,--daemon"},
	{name: "proftpd", stay: "-n,--nodaemon"},
	{name: "pure-ftpd", fork: "=-B,--daemonize"},
	{name: "vsftpd", conf: vsftpdConf},
	{name: "smbd", stay: "-F,--foreground,-i"},
	{name: "nmbd", stay: "-F,--foreground,-i"},
	{name: "winbindd", stay: "-F,--foreground,-i"},
	{name: "rpcbind", stay: "-f,-d"},
	{name: "cupsd", stay: "-f,-F"},
	{name: "avahi-daemon", fork: "-D,--daemonize"},
	{name: "dbus-daemon", fork: "--fork"},
	{name: "xinetd", stay: "-dontfork,=-d"},
	{name: "in.tftpd", stay: "-L,--foreground"},
	{name: "openvpn", fork: "--daemon"},
	{name: "tor", fork: "--RunAsDaemon 1"},
	{name: "transmission-daemon", stay: "-f,--foreground"},
	{name: "gunicorn", fork: "=-D,--daemon"},
	{name: "uwsgi", fork: "--daemonize,=-d"},
	{name: "celery", fork: "=-D,--detach,=multi"},
	{name: "unicorn", fork: "-D,--daemonize"},
	{name: "pm2", fork: "=start"},
	{name: "supervisord", stay: "-n,--nodaemon", conf: superConf},
	{name: "start-stop-daemon", fork: "-b,--background"},
	{name: "setsid", stay: "-w,--wait"},
	{name: "service", fork: "=start,=restart"},
	{name: "rc-service", fork: "=start,=restart"},
	{name: "invoke-rc.d", fork: "=start,=restart"},
	{name: "systemctl", fork: "=start,=restart"},
}

// findDaemon returns what is known of a program: php-fpm8.2 is php-fpm, and
// nagios4 is nagios.
func findDaemon(program string) *daemon {
	plain := strings.TrimRight(program, "0123456789.")
	for i := range daemons {
		if name := daemons[i].name; name == program || name == plain {
			return &daemons[i]
		}
	}
	return nil
}

// background says how the program of a command puts itself into the background;
// "" if it does not, or if that cannot be known. It is not sure where the program
// may have a configuration file that was not found. dir is the working directory.
func background(words []word, dir string) (why string, sure bool) {
	if len(words) == 0 || !words[0].known || strings.HasPrefix(words[0].text, ".") {
		return "", true // a program of the service's own
	}
	name, args := called(words[0]), words[1:]
	if strings.HasPrefix(words[0].text, "/etc/init.d/") && (has(args, "=start") || has(args, "=restart")) {
		return words[0].text + " starts a daemon in the background: start the program itself, in the foreground", true
	}
	d := findDaemon(name)
	if d == nil {
		return "", true
	}
	for option := range strings.SplitSeq(d.fork, ",") {
		if has(args, option) {
			return name + " leaves its work to the background with " + plainOption(option) + ": start the program in the foreground", true
		}
	}
	if slices.ContainsFunc(strings.Split(d.stay, ","), func(option string) bool { return has(args, option) }) ||
		slices.ContainsFunc(args, func(w word) bool { return !w.known }) { // an option may be in a variable
		return "", true
	}
	file, read := d.conf.find(args, dir)
	switch {
	case d.conf != nil && !d.conf.stays && file != "":
		return name + ` puts itself into the background with "` + d.conf.words + `" in ` + file + ": remove that line", true
	case d.stay == "" || file != "" || d.conf != nil && !d.conf.stays:
		return "", true
	}
	option, _, _ := strings.Cut(d.stay, ",")
	option = plainOption(option)
	if d.stay == nginxStay {
		option = "-g 'daemon off;'"
	}
	return name + " puts itself into the background without " + option + ": add that", d.conf == nil || read
}

// plainOption returns an option of the table as it is written.
func plainOption(option string) string { return strings.TrimPrefix(option, "=") }

// has reports whether an option is among the arguments. With "=" before it, it
// is a word of its own.
func has(args []word, option string) bool {
	if option == "" {
		return false
	}
	exact, isExact := strings.CutPrefix(option, "=")
	first, second, two := strings.Cut(option, " ")
	for i, arg := range args {
		text := arg.text
		switch {
		case isExact:
			if text == exact {
				return true
			}
		case option == nginxStay: // nginx -g 'pid /x; daemon off;'
			if strings.Contains(strings.Join(strings.Fields(text), " "), option) {
				return true
			}
		case two:
			if text == first && i+1 < len(args) && strings.EqualFold(args[i+1].text, second) ||
				strings.EqualFold(text, first+second) || strings.EqualFold(text, first+"="+second) {
				return true
			}
		case text == option || strings.HasPrefix(text, option+"="):
			return true
		case len(option) == 2 && strings.HasPrefix(text, option), len(option) == 2 && len(text) == 3 && text[0] == '-' && text[2] == option[1]:
			return true
		}
	}
	return false
}

// find returns the configuration file that has the setting, or "", and whether
// any file was read.
func (c *conf) find(args []word, dir string) (file string, read bool) {
	if c == nil {
		return "", false
	}
	for _, path := range c.files(args) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		matches, _ := filepath.Glob(path)
		for _, file := range matches {
			content, err := spec.ReadFile(file)
			if err == nil && hasSetting(string(content), c.words) {
				return file, true
			}
			read = read || err == nil
		}
	}
	return "", read
}

// files returns the configuration files that the arguments name, or else those
// that the program reads without.
func (c *conf) files(args []word) []string {
	if c.options == "" && len(args) > 0 && !strings.HasPrefix(args[0].text, "-") {
		return []string{args[0].text}
	}
	for option := range strings.SplitSeq(c.options, ",") {
		for i, arg := range args {
			if value, ok := strings.CutPrefix(arg.text, option+"="); ok && option != "" {
				return []string{value}
			}
			if arg.text == option && i+1 < len(args) {
				return []string{args[i+1].text}
			}
		}
	}
	return strings.Fields(c.paths)
}

// hasSetting reports whether a configuration file has a line of these words,
// whatever stands between and after them.
func hasSetting(content, words string) bool {
	want := strings.Fields(words)
	for line := range strings.Lines(content) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		got := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t=:;\"'", r) })
		if len(got) >= len(want) && slices.EqualFunc(got[:len(want)], want, strings.EqualFold) {
			return true
		}
	}
	return false
}
