// Package filter has the tools that read lines from a pipe: tai64n, tai64nlocal,
// multilog and readproctitle.
package filter
