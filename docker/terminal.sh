# shellcheck shell=bash disable=SC2154 # docker/plain and docker/outside.sh set tmp, name, image and entry.
# Cases of docker/plain at a terminal: docker run -it runs in a pane of tmux. To be sourced.

# tty INIT CMD...
tty() {
	entry "$1"
	shift
	at new-session -d -x 80 -y 24 bash -c '"$@"; echo $? >"$0"' "$tmp/$name.code" \
		docker run -it --label "$image=$name" --cidfile "$tmp/$name.cid" "${entry[@]}" "$image-terminal" -- "$@" \; \
		set -g status off || return
	within 20 "a container" [ -s "$tmp/$name.cid" ] && id=$(<"$tmp/$name.cid")
}
at() { tmux -S "$tmp/$name.tmux" -f /dev/null "$@"; }
types() { at send-keys "$@"; }
screen() { at capture-pane -p; }
shows() { screen | grep -E -- "$1" >/dev/null; }
sees() { within 20 "on the screen: $1" shows "$1" || miss "$(screen | grep . | tail -n 8)"; }
# foreground NAME: the program is in the foreground of the terminal.
foreground() { docker top "$id" -eo pid,stat,comm | grep -E "^ *[0-9]+ +[^ ]*\\+ +$1\$" >/dev/null; }
runs() { within 20 "$1 in the foreground" foreground "$1" || miss "$(docker top "$id" -eo pid,stat,comm; screen)"; }
ends() {
	within 20 "the end of docker run" [ -s "$tmp/$name.code" ] || miss "$(screen | grep . | tail -n 8)" || return
	[ "$(<"$tmp/$name.code")" = "$1" ] || miss "exit code $(<"$tmp/$name.code")"
}

# A session with a shell. The prompt counts its commands.
shell() {
	local n=5
	tty "$1" bash --norc --noprofile -i && sees '^ready-1$' || return
	! shows 'cannot set terminal|no job control|svinit|warning' || miss "$(screen | grep . | tail -n 8)" || return
	types 'sleep 601' Enter && runs sleep && types C-c && sees '^ready-2$' || return
	types 'echo code $?' Enter && sees '^code 130$' && sees '^ready-3$' || return
	types 'sleep 602' Enter && runs sleep && types C-z && sees 'Stopped +sleep 602$' && sees '^ready-4$' || return
	types fg Enter && runs sleep && types C-c && sees '^ready-5$' || return
	interrupted vi vi :q! Enter && interrupted less less q && interrupted 'busybox vi' busybox :q! Enter || return
	at resize-window -x 101 -y 33 || return
	types 'clear; until [ "$(stty size)" = "33 101" ]; do sleep 0.1; done; echo resized' Enter && sees '^resized$' || return
	types 'exit 7' Enter && ends 7
}
# interrupted CMD NAME KEY...: CMD shows /text, is stopped, is continued by fg, and is left with these keys.
interrupted() {
	local cmd="$1 /text" comm=$2
	shift 2
	types "clear; $cmd" Enter && runs "$comm" && sees '^line 1$' || return
	types C-z && sees "Stopped +$cmd" && sees "^ready-$((n += 1))\$" || return
	types 'clear; fg' Enter && runs "$comm" && sees '^line 1$' && end_of_text && types "$@" && sees "^ready-$((n += 1))\$"
}
# A program may drop keys before it is ready for them.
end_of_text() { within 20 "the last line of the text" goes_to_end || miss "$(screen | grep . | tail -n 8)"; }
goes_to_end() { types G && shows '^line 200$'; }

# Without a shell nobody could continue what Ctrl-Z stops, so svinit continues it.
cat_alone() {
	tty "$1" cat && runs cat && types C-z && sees '^\^Z' || return
	types hello Enter && sees '^\^Zhello$' && sees '^hello$' && types C-d && ends 0
}
vi_alone() { reads "$1" vi vi && types :q! Enter && ends 0; }
less_alone() { reads "$1" less less && types q && ends 0; }
busybox_vi_alone() { reads "$1" busybox busybox vi && types :q! Enter && ends 0; }
reads() {
	tty "$1" "${@:3}" /text && runs "$2" && sees '^line 1$' || return
	types C-z && end_of_text || return
	# The new size arrives although the program was stopped.
	types C-z && at resize-window -x 101 -y 33 && within 20 "a larger screen" goes_to_begin || miss "$(screen | grep . | tail -n 8)" || return
	end_of_text
}
goes_to_begin() { types 1G && shows '^line 32$'; }
