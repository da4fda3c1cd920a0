# make demo    a container with three services, or what comes nearest to it
# make test    everything; installs what it needs as root on Debian
# make bench   svinit beside its peers, measured in one run
# make         the binary, bin/svinit

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
GOTEST  := go test

.PHONY: build demo test check smoke hostile plain bench images install clean

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/svinit ./cmd/svinit

demo:
	@docker/demo/run

# The race detector wants a C compiler.
test: check
	.ci/need daemontools runit tini dumb-init catatonit util-linux strace gcc libc6-dev tmux
	$(GOTEST) -race -timeout 8m ./...
	@if docker info >/dev/null 2>&1; then docker/smoke && docker/hostile && docker/plain; \
	elif [ -n "$$CI" ]; then echo 'no Docker engine answers' >&2; exit 1; \
	else echo 'no Docker engine answers: docker/smoke, docker/hostile and docker/plain were not run'; fi

check:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'these want gofmt' >&2; exit 1; }
	go vet ./...

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

# make install DESTDIR=/tmp/root: the binary, its links and manual pages.
install: build
	install -D bin/svinit $(DESTDIR)/usr/local/bin/svinit
	$(DESTDIR)/usr/local/bin/svinit --install $(DESTDIR)/usr/local/bin
	install -d $(DESTDIR)/usr/local/share/man/man8
	install -m 644 doc/man/*.8 $(DESTDIR)/usr/local/share/man/man8

clean:
	rm -rf bin
