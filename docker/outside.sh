# shellcheck shell=bash
# Functions that demo/run, smoke, hostile and plain use to observe svinit from outside. To be sourced.

# now prints the time in milliseconds.
now() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# within SECONDS WHAT CMD...: repeats CMD until it succeeds, and names WHAT if it does not in that time.
within() {
	local end=$(($(now) + $1 * 1000)) what=$2
	shift 2
	until "$@"; do
		if [ "$(now)" -ge "$end" ]; then
			echo "timed out waiting for: $what" >&2
			return 1
		fi
		sleep 0.05
	done
}

# miss TEXT: prints why a test fails, and fails.
miss() { echo "$*" >&2; return 1; }

# page PORT: prints the status and the text of the page at that port on the loopback address: "200 visit 1, ...".
page() {
	{
		printf 'GET / HTTP/1.0\r\nHost: demo\r\n\r\n' >&3
		timeout 5 cat <&3
	} 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" | tr -d '\r' |
		awk 'NR == 1 { status = $2 } body { print status, $0 } /^$/ { body = 1 }'
}

# answers PORT STATUS: whether the page at that port has that status.
answers() { [[ $(page "$1") == "$2 "* ]]; }

# --- hostile and plain: cases, four at a time, each with containers of its own

# begin SCRIPT: sets $image, which make_image builds, and the directory $tmp. Both are removed at the end.
# Containers of the script have the label $image; its value is the name of the case.
begin() {
	image=svinit-$1-$$
	tmp=$(mktemp -d)
	trap cleanup EXIT
	trap 'exit 130' INT TERM
}
cleanup() {
	local socket tag
	# A case that still runs would start more containers.
	jobs -rp | xargs -r kill 2>/dev/null || :
	wait
	for socket in "$tmp"/*.tmux; do [ ! -S "$socket" ] || tmux -S "$socket" kill-server 2>/dev/null || :; done
	remove "$image"
	# Images that were made from $image first.
	for tag in "$image-*" "$image"; do docker images -q "$tag" | xargs -r docker rmi -f >/dev/null 2>&1 || :; done
	rm -rf "$tmp"
}
# remove LABEL: removes the containers that have it.
remove() { docker ps -aq --filter "label=$1" | xargs -r docker rm -f >/dev/null 2>&1 || :; }

# compile DIR NAME...: builds svinit and its tools, and static programs from testdata/program/NAME.c.
compile() {
	local dir=$1 c entry=""
	shift
	mkdir -p "$dir"
	case $(go env GOARCH) in amd64 | arm64) entry="-E svinit/reaper/inherit.entry" ;; esac
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $entry" -o "$dir/svinit" ./cmd/svinit
	"$dir/svinit" --install "$dir"
	for c; do gcc -static -O1 -Wall -o "$dir/$c" "testdata/program/$c.c"; done
}
# build TAG CONTEXT...
build() {
	DOCKER_BUILDKIT=0 timeout 300 docker build -q -t "$@" >/dev/null 2>"$tmp/log" || { cat "$tmp/log" >&2; return 1; }
}

# start OPTION... [-- ARG...]: runs a container and sets $id. Each case runs in a subshell, with its own $id.
start() {
	local options=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
	[ $# = 0 ] || shift
	id=$(docker run -d --label "$image=$name" "${options[@]}" "$image" "$@")
}
in_c() { timeout 30 docker exec "$id" "$@" 2>&1; }
logs() { docker logs "$id" 2>&1; }
# Not grep -q: it would exit before the writer does, and pipefail would count that as a failure.
logged() { logs | grep -E -- "$1" >/dev/null; }
code_of() { docker inspect -f '{{.State.ExitCode}}' "$1"; }

# stop [MILLISECONDS [CODE]]: docker stop ends in time, with exit code 0 or CODE.
stop() {
	local began took code
	began=$(now)
	timeout 60 docker stop "$id" >/dev/null || return
	took=$(($(now) - began))
	code=$(code_of "$id")
	echo "# docker stop took $took ms"
	[ "$code" = "${2:-0}" ] || miss "exit code $code: $(logs | tail -n 5)" || return
	[ "$took" -lt "${1:-5000}" ] || miss "docker stop took $took ms"
}

# says_beside IGNORED [LINE...]: apart from lines that match IGNORED, the log has these lines, each once, and no others
# (all are extended regular expressions).
says_beside() {
	local line rest
	# Other programs on this machine may have taken all of root's inotify instances, which is not an error of svinit.
	rest=$(logs | grep -vxE -- "$1|svinit: warning: unable to watch .*: inotify_init1: too many open files; .*" || :)
	shift
	for line; do
		[ "$(grep -cxE -- "$line" <<<"$rest")" = 1 ] || miss "not exactly once: $line: $rest" || return
		rest=$(grep -vxE -- "$line" <<<"$rest" || :)
	done
	[ -z "$rest" ] || miss "printed too: $rest"
}

# run_case NAME: runs one case in the background; -e has no effect in it. After a dot in NAME stands the argument of its
# function.
run_case() {
	local call
	name=$1 id=
	IFS=. read -ra call <<<"$name"
	if "${call[@]}" >"$tmp/$name.out" 2>"$tmp/$name.why"; then echo ok; else echo 'not ok'; fi >"$tmp/$name.result"
	remove "$image=$name"
}

# run_cases [NAME...]: runs these of $cases (name, description, ...), or all.
# shellcheck disable=SC2154 # The script that sources this file sets cases.
run_cases() {
	local began i n=0 failed=0 result
	began=$(now)
	make_image
	echo "# the images took $((($(now) - began) / 1000)) s"
	for ((i = 0; i < ${#cases[@]}; i += 2)); do
		[ $# = 0 ] || [[ " $* " == *" ${cases[i]} "* ]] || continue
		while [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n || :; done
		run_case "${cases[i]}" &
	done
	wait
	for ((i = 0; i < ${#cases[@]}; i += 2)); do
		name=${cases[i]}
		[ -e "$tmp/$name.result" ] || continue
		n=$((n + 1))
		result=$(<"$tmp/$name.result")
		echo "$result $n - ${cases[i + 1]}"
		cat "$tmp/$name.out"
		[ "$result" = ok ] || { failed=$((failed + 1)); sed 's/^/#   /' "$tmp/$name.why"; }
	done
	echo "# took $((($(now) - began) / 1000)) s"
	echo "$((n - failed)) passed, $failed failed"
	# Without the first condition, a wrong name would count as success.
	[ "$n" -gt 0 ] && [ "$failed" = 0 ]
}
