# What demo/run and smoke need to look at svinit from outside. To be sourced.

# now prints the time in milliseconds.
now() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

# within SECONDS WHAT CMD...: asks CMD again and again until it succeeds; says WHAT if it never does.
within() {
	local end=$(($(now) + $1 * 1000)) what=$2
	shift 2
	until "$@"; do
		if [ "$(now)" -ge "$end" ]; then
			echo "waited in vain: $what" >&2
			return 1
		fi
		sleep 0.05
	done
}

# page PORT: the status and the text of the page there on the loopback address, "200 visit 1, ...".
page() {
	{
		printf 'GET / HTTP/1.0\r\nHost: demo\r\n\r\n' >&3
		timeout 5 cat <&3
	} 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" | tr -d '\r' |
		awk 'NR == 1 { status = $2 } body { print status, $0 } /^$/ { body = 1 }'
}

# answers PORT STATUS: whether the page there has that status.
answers() { [[ $(page "$1") == "$2 "* ]]; }
