package script

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"svinit/cmd/internal/difftest"
)

func TestMain(m *testing.M) { os.Exit(difftest.Main(m)) }

// ownMessages matches the error messages of dash and of svinit, which are worded
// differently.
var ownMessages = regexp.MustCompile(`(?m)^(\./s: [0-9]|svinit: run: ).*\n|^(Killed|Terminated)\n|(\./s: [0-9]|svinit: run: )([^\n"\\]|\\")*\\n`)

// TestDash compares what "dash -ef" and "svinit run" do with the same scripts.
// The arguments are "1st", "2nd arg" and "".
func TestDash(t *testing.T) {
	difftest.Real(t, "dash", "dash")
	for _, c := range dashCases {
		script, args, _ := strings.Cut(c, "\x00")
		t.Run(strings.ReplaceAll(script, "\n", ";"), func(t *testing.T) {
			t.Parallel()
			theirs, ours := runBoth(t, script, args)
			if theirs != ours {
				t.Errorf("%s\ndash: %s\nours: %s", script, theirs, ours)
			}
		})
	}
	if len(dashCases) < 80 {
		t.Errorf("%d cases", len(dashCases))
	}
}

func runBoth(t *testing.T, script, args string) (theirs, ours difftest.Outcome) {
	t.Helper()
	words := []string{"./s", "1st", "2nd arg", ""}
	if args == "none" {
		words = words[:1]
	}
	c := difftest.Case{
		Tool: "dash", Args: append([]string{"-ef"}, words...), Stdin: "input\n",
		Env: []string{"HOME=/home/of us", "SPACED= a  b\tc\n", "EMPTY=", "GLOB=*", "TICK=`x` $y \\z", "LC_ALL=C"},
		Files: map[string]string{
			"s": script, "in": "from a file\n", "dir/sub/": "", "dir/file": "inner\n", "link@": "dir/sub",
			"plain": "no program\n", "nohash": "echo hashless \"$1\"\n", "noint": "#!/no/such/interpreter\n", "out": "old\n",
			"bin/tool": "#!/bin/sh\necho tool \"$@\"\n", "bin/svstat": "#!/bin/sh\necho not ours\n", "bin2/tool": "unreadable\n", "bin3/tool/": "",
		},
		Setup: func(dir string) error {
			for _, name := range []string{"nohash", "noint", "bin/tool", "bin/svstat"} {
				if err := os.Chmod(dir+"/"+name, 0o755); err != nil {
					return err
				}
			}
			return nil
		},
		Mask: func(s string) string { return ownMessages.ReplaceAllString(s, "") },
	}
	theirs = c.Run(t, "/bin/dash")
	c.Tool, c.Args = "svinit", append([]string{"run"}, words...)
	return theirs, c.Run(t, difftest.Binary())
}

var dashCases = []string{
	// Words.
	`printf '<%s>' a b c`,
	`printf '<%s>' 'a b' "c d" e\ f g"h i"j'k'l\m`,
	`printf '<%s>' '' "" ''""`,
	`printf '<%s>' '\n$x"' "\n\$x\"\\\` + "`" + `'" \n\$x\"\'`,
	"printf '<%s>' a \\\n  b c\\\nd 'e\\\nf' \"g\\\nh\"",
	"printf '<%s>' 'a\nb' \"c\nd\"",
	`printf '<%s>' a#b '#c' \#d #e f`,
	"# a comment\n\n  # another\nprintf x # a third\n",
	`printf '<%s>' a{} {} }x{ {a} {, ,} {.} "{a,b}" {'a,b'} \{a,b} {a\,b} a..b {"1..3"}`,
	`printf '<%s>' a=b =c -d --e=f g:h @i %j ^k +l ,m _n .o /p !q`,
	`printf '<%s>' [ ] [a a] '[a]' \[a] [a\]`,
	`printf '<%s>' a~ b~c :~ '~' "~" \~ x=~ ""~`,
	`printf '<%s>' '*' "*" \* '?' \?`,
	`printf '<%s>' é "ü" 'ß' \ñ 日本`,
	`printf '<%s>' a$ $ "b$" "$" '$' $% "$%" a$.b`,
	`printf '<%s>' if then do done { } ! case for`,
	"printf '<%s>' a; printf '<%s>' b;\nprintf '<%s>' c",
	"   \t printf\t'<%s>'\ta   b\t",
	``,
	"\n\n",
	"# only a comment",
	`"printf" '<%s>' quoted; pri\ntf '<%s>' command; 'print'f '<%s>' name`,
	// Variables.
	`printf '<%s>' $HOME "$HOME" ${HOME} "${HOME}"x $HOME/bin "a$HOME"`,
	`printf '<%s>' $SPACED x$SPACED x"$SPACED"x $SPACED"y" $SPACED$SPACED`,
	`printf '<%s>' $UNSET "$UNSET" a$UNSET '' $EMPTY "$EMPTY" $EMPTY""`,
	`printf '<%s>' $GLOB "$GLOB" $TICK "$TICK"`,
	`A=1; printf '<%s>' $A $AB ${A}B "$A$A"`,
	`A='x  y' B="$A"; C=$A; printf '<%s>' $A "$A" "$B" "$C"`,
	`A=$SPACED; printf '<%s>' "$A"`,
	`A=* B=[x]? ; printf '<%s>' "$A$B"`,
	`A= ; printf '<%s>' "$A" ${A-unset} ${A:-null}`,
	`A=b=c; printf '<%s>' $A`,
	`A=1 A=2; printf '<%s>' $A`,
	`A=1; A=$A$A; A=$A$A; printf '<%s>' $A`,
	`printf '<%s>' ${UNSET-a} ${UNSET:-b} ${EMPTY-c} ${EMPTY:-d} ${HOME-e} ${HOME:-f}`,
	`printf '<%s>' "${UNSET-a b}" ${UNSET-a b} ${UNSET-"a b"} ${UNSET-a" "b} ${UNSET-'a  b' c} x${UNSET- y }z`,
	`printf '<%s>' ${UNSET-$HOME} "${UNSET-$HOME}" ${UNSET-"$HOME"} ${UNSET-${EMPTY:-$SPACED}} "${UNSET:-${EMPTY:-$SPACED}}"`,
	`printf '<%s>' ${UNSET-} ${UNSET:-} "${UNSET-}" "${UNSET:-}" ${EMPTY-x}`,
	`printf '<%s>' ${UNSET+a} ${UNSET:+b} ${EMPTY+c} ${EMPTY:+d} ${HOME+e} ${HOME:+f g} "${HOME:+h i}" "${EMPTY:+j}"`,
	`printf '<%s>' ${UNSET=a b} "$UNSET" ${UNSET=c} ${EMPTY:=d} $EMPTY ${EMPTY=e}`,
	`: ${A:=1} "${B=2 3}"; printf '<%s>' $A "$B"; printenv A`,
	`printf '<%s>' ${UNSET-a\}b} ${UNSET-'a}b'} ${UNSET-a\ b} ${UNSET-\$x}`,
	`printf '<%s>' "${UNSET-a\}b}" "${UNSET-\$x\\y\"z\w}" "${UNSET-#%/:}"`,
	`printf '<%s>' ${UNSET-#} ${UNSET-a#b} ${UNSET-;|&<>()}`,
	"printf '<%s>' ${UNSET-a\nb} \"${UNSET-a\nb}\"",
	`printf 'before '; printf '<%s>' ${UNSET?} after`,
	`printf 'before '; printf '<%s>' ${UNSET?is needed} after`,
	`printf 'before '; printf '<%s>' ${EMPTY:?} after`,
	`printf '<%s>' ${EMPTY?x} "${EMPTY?x}" ${HOME?x} ${HOME:?x}`,
	`A=${UNSET?no}; printf after`,
	`printf x >${UNSET?no}; printf after`,
	`A=${UNSET:-x y}; printf '<%s>' "$A"`,
	`printf '<%s>' $PWDX ${PATH:+path} ${PPID:+ppid} ${PWD:+pwd}`,
	`set -u; printf '<%s>' ${UNSET-x} $EMPTY; printf no $UNSET; printf after`,
	`set -eu; A=$UNSET; printf after`,
	`set -e; set -f; set -ef -u; printf '<%s>' a`,
	`unset HOME; printf '<%s>' ${HOME-gone}; sh -c 'printf "<%s>" "${HOME-gone}"'`,
	`unset UNSET HOME EMPTY; printf '<%s>' ${HOME-gone} ${EMPTY-gone}`,
	// Parameters.
	`printf '<%s>' "$0" "$1" "$2" "$3" "$4" $1 $2 $3 $4 "$#" ${#}`,
	`printf '<%s>' "$@"`,
	`printf '<%s>' a "$@" b`,
	`printf '<%s>' ${1} "${2}x" ${2:-d} "${3:-d}" ${4-d} "${9+x}" ${10-ten}`,
	"printf '<%s>' \"$@\" $# ${1-none}\x00none",
	`printf '<%s>' "$1$2"`,
	`set -u; printf '<%s>' "$1"; printf '<%s>' "$4"`,
	`sh -c 'test $$ -ne '"$$"; sh -c "kill -0 $$"; printf ok`,
	// The environment of programs.
	`A=1 printenv A`,
	`A=1; printenv A; printf no`,
	`A=1; export A; printenv A`,
	`export A=1; printenv A`,
	`export A; A=1; printenv A`,
	`export A='a b' B="$HOME" C=$SPACED D EMPTY; printenv A B C EMPTY`,
	`export "A=a b" 'B'=c \C=d; printenv A B C`,
	`export A=$HOME:$HOME; A=2; printenv A`,
	`HOME=elsewhere; printenv HOME; HOME=x printenv HOME; printenv HOME`,
	`A=1 B=$A printenv A B`,
	`A=0; A=1 B=$A printenv A B; printf '<%s>' "$A" "${B-unset}"`,
	`A=0; A=1 printf '<%s>' "$A"`,
	`A=1 exec printenv A`,
	`A=${UNSET:=7} sh -c 'printf "<%s>" "$A"'; printf '<%s>' "${UNSET-unset}" "${A-unset}"`,
	`export A=1 A=2; printenv A`,
	`unset A; export A; A=3; unset A; A=4; printenv A; printf no`,
	`sh -c 'printf "<%s>" "$PWD"'`,
	`env -i sh -c 'printf x'`,
	`$EMPTY; printf after`,
	`A=1 $UNSET; printf '<%s>' "$A"`,
	`$UNSET printf '<%s>' a`,
	`A=printf; $A '<%s>' a; B="printf <%s> x"; $B y`,
	// Several lines and their codes.
	`true; printf a; false; printf b`,
	`sh -c 'exit 3'; printf no`,
	`printf a; sh -c 'exit 3'`,
	`sh -c 'kill -9 $$'; printf no`,
	`sh -c 'kill -TERM $$'; printf no`,
	`nosuch; printf no`,
	`nosuch`,
	`nosuch x y >out`,
	`exec nosuch; printf no`,
	`./plain; printf no`,
	`./plain`,
	`exec ./plain`,
	`./dir; printf no`,
	`./dir`,
	`/no/such/program`,
	`plain/x`,
	`./noint; printf no`,
	`exec ./noint`,
	`./nohash x; printf after`,
	`exec ./nohash x`,
	`""; printf no`,
	`'' a`,
	`exec printf x; printf no`,
	`exec; printf after`,
	`exec true; nosuch`,
	`A=1 exec $UNSET; printf '<%s>' "$A"`,
	`exec $UNSET printf x; nosuch`,
	`exec >out $UNSET; printf x`,
	`: a b $HOME; printf after`,
	`:`,
	`PATH=bin; tool a; PATH=; tool b`,
	`PATH=bin2:bin tool a`,
	`PATH=bin: tool "a b" "$@"`,
	`cd bin; PATH=: tool c`,
	`cd bin; PATH= tool c`,
	`PATH=bin svstat /x`,
	`export PATH=$PWD/bin:$PATH; cd /; tool x`,
	// Redirections.
	`cat <in`,
	`cat < in; cat 0<in`,
	`cat`,
	`printf x >out; cat out`,
	`printf x >>out`,
	`printf x >new; printf y >>new; printf z >> new2`,
	`printf x >|out`,
	`printf x 1>"a name"`,
	`>made`,
	`: >made`,
	`>made >made2 <in`,
	`A=1 >made; printf '<%s>' $A`,
	`sh -c 'echo a; echo b >&2' >out 2>err`,
	`sh -c 'echo a; echo b >&2' >out 2>&1`,
	`sh -c 'echo a; echo b >&2' 2>&1 >out`,
	`sh -c 'echo a; echo b >&2' >&2 2>out`,
	`sh -c 'echo a; echo b >&2' 3>&1 1>&2 2>&3 3>&-`,
	`sh -c 'echo a >&3; echo b >&9' 3>out 9>err`,
	`sh -c 'echo a >&3' 3>&-; printf no`,
	`sh -c 'echo a' >&-; printf no`,
	`cat <&-; printf no`,
	`cat 5<in <&5`,
	`printf x >&1; sh -c 'echo a >&2' 2>&2 0<&0; exec 1>&1; printf y`,
	`\ 2>&1; printf no`,
	`cat <>in; printf x 1<>out`,
	`cat <>brandnew`,
	`printf x >&5; printf no`,
	`cat <nosuch; printf no`,
	`exec <nosuch; printf no`,
	`printf x >dir; printf no`,
	`printf x >nosuch/x; printf no`,
	`printf x >a >nosuch/x >b; printf no`,
	`cat <in <dir/file`,
	`printf x >a >b`,
	`F=out; printf x >$F; printf y >"$F.2"; printf z >${UNSET:-def}`,
	`F='a b'; printf x >$F`,
	`printf x >$UNSET; printf no`,
	`printf x >"$GLOB"`,
	`exec 2>&1; sh -c 'echo a >&2'; nosuch`,
	`exec >out; printf a; printf b; sh -c 'echo c'`,
	`exec >out 2>&1; sh -c 'echo a; echo b >&2'`,
	`exec 3>out; printf a >&3; printf b >&3; exec 3>&-; printf c >&3`,
	`exec 3>&1 >out; printf a; printf b >&3; exec >&3 3>&-; printf c`,
	`exec 4<in; cat <&4; exec 4<&-; sh -c 'cat <&4'`,
	`exec <in; sh -c 'read x; echo "$x"'; cat`,
	`exec 2>err; sh -c 'echo a >&2'; printf x; cat <nosuch`,
	`exec 3>a 4>b 5>c 6>d 7>e 8>f 9>g; sh -c 'for i in 3 4 5 6 7 8 9; do echo $i >&$i; done'`,
	`exec >&-; sh -c 'echo a'; printf no`,
	`exec 1>&2 2>out; sh -c 'echo a; echo b >&2'`,
	`exec 1>out; exec sh -c 'echo a; echo b >&2' 2>&1`,
	`exec sh -c 'echo a; echo b >&2; echo c >&3' 3>&2 2>&1 1>out`,
	`exec cat <in >out`,
	`>out printf '<%s>' 2>err a <in b`,
	`2>&1 nosuch; printf no`,
	`printf '<%s>' 2 >out; printf '<%s>' x2>out2; printf '<%s>' "2">out3`,
	`cd dir >made; printf x >here`,
	`cd dir 2>&5; printf no`,
	`umask 027 >made; printf x >made2`,
	// The directory and the mask.
	`cd dir; printf '<%s>' "$PWD" "$OLDPWD"; cat file; sh -c 'printf "<%s>" "$PWD" "$OLDPWD"'`,
	`cd dir/sub; cd ..; cat file`,
	`cd link; printf '<%s>' "$PWD"; cd ..; printf '<%s>' "$PWD"; pwd -P`,
	`cd ./dir/../dir/./sub//; printf '<%s>' "$PWD"; cd ../..; printf '<%s>' "$PWD"`,
	`cd /; printf '<%s>' "$PWD"; cd usr; printf '<%s>' "$PWD"; cd /usr/..; printf '<%s>' "$PWD"`,
	`cd nosuch; printf no`,
	`cd in; printf no`,
	`cd "$PWD/dir"; cat file`,
	`D=dir; cd $D; cat file`,
	`cd dir; exec sh -c 'cat file'`,
	`cd .; printf '<%s>' "$PWD"`,
	`cd ""; printf '<%s>' "$PWD"`,
	`umask 077; : >made; sh -c umask; umask 000; : >made2`,
	`umask 22; sh -c umask`,
	`M=027; umask $M; sh -c umask; exec sh -c umask`,
	`M=9; umask $M; printf no`,
	`OLDPWD=x; cd dir; printf '<%s>' "$OLDPWD"`,
	`sh -c 'exit 0' 2>&1 >/dev/null; printf '<%s>' done`,
}
