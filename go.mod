module svinit

go 1.26.0

require (
	github.com/kelseyhightower/envconfig v1.4.0
	github.com/moby/sys/reexec v0.1.0
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/sys v0.49.0
	mvdan.cc/sh/v3 v3.14.1
)

require golang.org/x/tools v0.38.0 // indirect
