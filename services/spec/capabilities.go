package spec

import "strings"

// capabilities has the names of capabilities(7), by number.
var capabilities = [...]string{
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
	"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
	"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
	"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
	"checkpoint_restore",
}

// CapabilityNames returns the names of a set of capabilities, as in
// "net_raw kill".
func CapabilityNames(set uint64) string {
	var list []string
	for n, name := range capabilities {
		if set&(1<<n) != 0 {
			list = append(list, name)
		}
	}
	return strings.Join(list, " ")
}

// readCapabilities reads the file capabilities: names between blanks, commas or
// line feeds. An empty file is no capability at all. With a wrong one the service
// stays down.
func (r *execReader) readCapabilities(name string) {
	text, err := ReadFile(r.path + "/" + name)
	if err != nil {
		r.unreadable(name, true, err)
		return
	}
	set, n := uint64(0), 0
	for line := range strings.Lines(string(text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		for _, word := range strings.FieldsFunc(line, func(c rune) bool { return strings.ContainsRune(" \t\r\n,", c) }) {
			bit := findCapability(word)
			if bit < 0 {
				r.wrong(name, n, true, "%s is not a capability: write names such as net_bind_service, or leave the file empty for none", quote(word))
				return
			}
			set |= 1 << bit
		}
	}
	r.Capabilities = &set
}

// findCapability returns the number of a capability, with or without CAP_, in
// capitals or not; -1 if there is none of that name.
func findCapability(word string) int {
	word = strings.TrimPrefix(strings.ToLower(word), "cap_")
	for n, name := range capabilities {
		if name == word {
			return n
		}
	}
	return -1
}
