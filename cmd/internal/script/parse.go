package script

import (
	"bytes"
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A line is one command of a script.
type line struct {
	pos
	sets  []set // the assignments before the command, or all that there is; export's own
	words []word
	files []redirect
	name  string // the first word, when it comes from no expansion and is one of builtins; of export the only one
}

// A set is NAME=value, or a name alone after export.
type set struct {
	pos
	name  string
	value *word
}

// A redirect is what follows <, > and their like.
type redirect struct {
	pos
	fd    int
	flags int   // of open(2), where there is a file
	file  *word // nil where another descriptor is meant
	from  int   // that one; closed is none
}

// parse turns a script into lines. The error is a fault.
func parse(text []byte) ([]line, error) {
	if err := check(text); err != nil {
		return nil, err
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX), syntax.KeepComments(true)).Parse(bytes.NewReader(text), "")
	if err != nil {
		var wrong syntax.ParseError
		var other syntax.LangError
		switch {
		case errors.As(err, &wrong):
			return nil, &fault{at(wrong.Pos), wrong.Text}
		case errors.As(err, &other):
			if !strings.HasSuffix(other.Feature, "s") {
				return nil, &fault{at(other.Pos), other.Feature + " is not supported: use a shell"}
			}
			return nil, refuse(at(other.Pos), other.Feature)
		}
		return nil, &fault{pos{1, 1}, err.Error()}
	}
	if err := comments(file); err != nil {
		return nil, err
	}
	lines := make([]line, 0, len(file.Stmts))
	for _, stmt := range file.Stmts {
		l, err := command(stmt)
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// check finds the bytes that the parser would pass over, where a shell does
// not: NUL and, at the end of a line, CR. A byte order mark, which nobody sees,
// would be a part of the first word, as it is to a shell.
func check(text []byte) error {
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		return &fault{pos{1, 1}, "a byte order mark: save the file as UTF-8 without it"}
	}
	i := bytes.IndexAny(text, "\x00\r")
	if i < 0 {
		return nil
	}
	before := text[:i]
	where := pos{bytes.Count(before, []byte{'\n'}) + 1, i - bytes.LastIndexByte(before, '\n')}
	if text[i] == 0 {
		return &fault{where, "a NUL byte: this is no script"}
	}
	return &fault{where, "a carriage return: save the file with LF alone at the end of lines, not CR LF"}
}

// comments finds comments that end with a backslash. The parser goes on with
// the command in the next line, a shell does not.
func comments(file *syntax.File) (err error) {
	syntax.Walk(file, func(node syntax.Node) bool {
		if c, ok := node.(*syntax.Comment); ok && err == nil && strings.HasSuffix(c.Text, "\n") {
			err = &fault{at(c.Hash), "a comment must not end with a backslash"}
		}
		return err == nil
	})
	return err
}

func at(p syntax.Pos) pos { return pos{int(p.Line()), int(p.Col())} }

// command turns a statement into a line, if it is one of ours.
func command(stmt *syntax.Stmt) (line, error) {
	where := at(stmt.Pos())
	l := line{pos: where}
	switch {
	case stmt.Negated:
		return l, refuse(where, "negations (!)")
	case stmt.Background:
		return l, refuse(at(stmt.Semicolon), "commands in the background (&)")
	}
	switch cmd := stmt.Cmd.(type) {
	case nil:
	case *syntax.CallExpr:
		if err := l.call(cmd); err != nil {
			return l, err
		}
	case *syntax.BinaryCmd:
		if orExit(cmd) {
			return l, &fault{at(cmd.OpPos), "|| exit is not supported, nor needed: a command that fails ends the script"}
		}
		if cmd.Op == syntax.AndStmt || cmd.Op == syntax.OrStmt {
			return l, refuse(at(cmd.OpPos), "conditionals ("+cmd.Op.String()+")")
		}
		return l, refuse(at(cmd.OpPos), "pipes")
	default:
		return l, refuse(where, compound(cmd))
	}
	for _, r := range stmt.Redirs {
		converted, err := redirection(r)
		if err != nil {
			return l, err
		}
		l.files = append(l.files, converted)
	}
	return l, l.builtin()
}

// orExit recognises what many a script has behind each cd.
func orExit(cmd *syntax.BinaryCmd) bool {
	call, ok := cmd.Y.Cmd.(*syntax.CallExpr)
	return ok && cmd.Op == syntax.OrStmt && len(call.Args) > 0 && call.Args[0].Lit() == "exit"
}

// compound is what a command that is none of ours is called, in the plural.
func compound(cmd syntax.Command) string {
	switch cmd := cmd.(type) {
	case *syntax.IfClause:
		return "conditionals (if)"
	case *syntax.CaseClause:
		return "conditionals (case)"
	case *syntax.WhileClause:
		if cmd.Until {
			return "loops (until)"
		}
		return "loops (while)"
	case *syntax.ForClause:
		return "loops (for)"
	case *syntax.Block:
		return "blocks ({ })"
	case *syntax.Subshell:
		return "subshells (( ))"
	case *syntax.FuncDecl:
		return "functions"
	case *syntax.ArithmCmd:
		return "arithmetic commands ((( )))"
	}
	return "commands of this kind"
}

func (l *line) call(cmd *syntax.CallExpr) error {
	for _, a := range cmd.Assigns {
		where := at(a.Pos())
		switch {
		case a.Append:
			return refuse(where, "appending assignments (+=)")
		case a.Index != nil, a.Array != nil:
			return refuse(where, "arrays")
		}
		if err := settable(a.Name.Value, where); err != nil {
			return err
		}
		value := new(word)
		if a.Value != nil {
			var err error
			if *value, err = single(a.Value, true); err != nil {
				return err
			}
		}
		l.sets = append(l.sets, set{where, a.Name.Value, value})
	}
	for i, w := range cmd.Args {
		// The arguments of export are assignments too.
		assignment := i > 0 && l.is("export")
		converted, err := convert(w, assignment)
		if err != nil {
			return err
		}
		l.words = append(l.words, converted)
	}
	return nil
}

// is reports whether the command is name, and not by an expansion.
func (l *line) is(name string) bool {
	if len(l.words) == 0 {
		return false
	}
	text, ok := l.words[0].static()
	return ok && text == name
}

// ours is the variables that a shell computes or obeys, which we do not. PS1
// and its like are among them since a shell sets them, and _ since bash and
// busybox do.
const ours = " IFS LINENO OPTIND PS1 PS2 PS4 _ "

// settable refuses a name that means more to a shell than to us.
func settable(name string, where pos) error {
	if strings.Contains(ours, " "+name+" ") {
		return &fault{where, name + " is a variable of the shell's own: use a shell"}
	}
	return nil
}

func redirection(r *syntax.Redirect) (redirect, error) {
	where := at(r.Pos())
	to := redirect{pos: where, from: closed}
	switch r.Op {
	case syntax.RdrIn:
		to.flags = reading
	case syntax.RdrOut, syntax.RdrClob:
		to.flags, to.fd = writing, 1
	case syntax.AppOut:
		to.flags, to.fd = appending, 1
	case syntax.RdrInOut:
		to.flags = both
	case syntax.DplIn:
	case syntax.DplOut:
		to.fd = 1
	case syntax.Hdoc, syntax.DashHdoc:
		return to, refuse(where, "here-documents")
	default:
		return to, refuse(where, "redirections of this kind ("+r.Op.String()+")")
	}
	if r.N != nil {
		if len(r.N.Value) != 1 || !digit(r.N.Value) {
			return to, &fault{where, "descriptors are 0 to 9: write a space before " + r.Op.String() + " if " + r.N.Value + " is an argument"}
		}
		to.fd = int(r.N.Value[0] - '0')
	}
	w, err := single(r.Word, false)
	if err != nil {
		return to, err
	}
	if r.Op != syntax.DplIn && r.Op != syntax.DplOut {
		to.file = &w
		return to, nil
	}
	switch text, _ := w.static(); {
	case len(text) == 1 && digit(text):
		to.from = int(text[0] - '0')
	case text != "-":
		return to, &fault{w.pos, "after " + r.Op.String() + " there must be a descriptor, 0 to 9, or -"}
	}
	return to, nil
}

func digit(s string) bool { return strings.Trim(s, "0123456789") == "" }
