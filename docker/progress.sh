# shellcheck shell=bash
# What build and images show while a command runs for minutes. To be sourced.

# progress LOG: writes its standard input to LOG. It prints the steps of docker build at once, and of other output the
# latest line every five seconds.
progress() {
	local line next=$((SECONDS + 5))
	while IFS= read -r line; do
		printf '%s\n' "$line" >&3
		# The first is printed by the old builder, the second by BuildKit.
		if [[ $line =~ ^Step\ [0-9]+/[0-9]+\ :|^#[0-9]+\ \[.*[0-9]+/[0-9]+\] ]] || [[ $line != ' '* ]] && ((SECONDS >= next)); then
			printf '    %.110s\n' "$line"
			next=$((SECONDS + 5))
		fi
	done 3>"$1"
}
