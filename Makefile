# make demo    run svinit as PID 1 with three services, in a container or a PID namespace
# make test    run all tests; as root on Debian, install the packages they need
# make lint    check formatting, and run go vet, staticcheck and shellcheck
# make bench   measure svinit and similar programs in one run
# make         build bin/svinit

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
# The entry point in front of the Go runtime: see the package comment.
ENTRY   := $(if $(filter amd64 arm64,$(shell go env GOARCH)),-E svinit/reaper/inherit.entry)
LDFLAGS := -s -w -X main.version=$(VERSION) $(ENTRY)
GOTEST  := go test

.PHONY: build demo test check lint smoke hostile plain bench images install clean

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/svinit ./cmd/svinit

demo:
	@docker/demo/run

# The race detector needs a C compiler.
test: check
	.ci/need daemontools runit tini dumb-init catatonit util-linux procps strace gcc libc6-dev tmux
	$(GOTEST) -race -timeout 8m ./...
	@if docker info >/dev/null 2>&1; then docker/smoke && docker/hostile && docker/plain; \
	elif [ -n "$$CI" ]; then echo 'no Docker engine answers' >&2; exit 1; \
	else echo 'no Docker engine answers: docker/smoke, docker/hostile and docker/plain were not run'; fi

check:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these files' >&2; exit 1; }
	go vet ./...

# staticcheck has a go.mod of its own, so that its modules are not in the go.sum of svinit.
# go vet compares assembly with its declarations in Go, for one architecture at a time.
lint: check
	.ci/need shellcheck
	GOARCH=arm64 go vet ./...
	go tool -modfile=.ci/lint/go.mod staticcheck ./...
	shellcheck -x $$(grep -rlE '^#!.*\b(ba)?sh$$|^# shellcheck shell=' .ci docker)

smoke:
	docker/smoke

hostile:
	docker/hostile

plain:
	docker/plain

bench: build
	.ci/need gcc libc6-dev daemontools runit s6 tini dumb-init catatonit supervisor
	go run ./bench -svinit bin/svinit

images:
	docker/build

# make install DESTDIR=/tmp/root: install the binary, its links and manual pages.
install: build
	install -D bin/svinit $(DESTDIR)/usr/local/bin/svinit
	$(DESTDIR)/usr/local/bin/svinit --install $(DESTDIR)/usr/local/bin
	install -d $(DESTDIR)/usr/local/share/man/man8
	install -m 644 doc/man/*.8 $(DESTDIR)/usr/local/share/man/man8

clean:
	rm -rf bin
