package script

import (
	"bytes"
	"errors"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A command is a simple command of a script: assignments, words, redirections.
type command struct {
	pos
	assignments []assignment // before the command or alone; for export, its arguments
	words       []word
	redirects   []redirect
	builtin     string // the first word, if it is literal and in supportedBuiltins
}

// An assignment is NAME=value, or a name alone (value nil) after export.
type assignment struct {
	pos
	name  string
	value *word
}

// A redirect is a redirection to a file, or a duplication such as 2>&1.
type redirect struct {
	pos
	fd     int
	flags  int   // for open(2), with a file
	file   *word // nil for a duplication
	source int   // the descriptor to duplicate; closed for >&-
}

// parse turns a script into commands. The error is a *scriptError.
func parse(text []byte) ([]command, error) {
	if err := checkBytes(text); err != nil {
		return nil, err
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX), syntax.KeepComments(true)).Parse(bytes.NewReader(text), "")
	if err != nil {
		var parseErr syntax.ParseError
		var langErr syntax.LangError
		switch {
		case errors.As(err, &parseErr):
			return nil, &scriptError{at(parseErr.Pos), parseErr.Text}
		case errors.As(err, &langErr):
			if !strings.HasSuffix(langErr.Feature, "s") {
				return nil, &scriptError{at(langErr.Pos), langErr.Feature + " is not supported: use a shell"}
			}
			return nil, unsupported(at(langErr.Pos), langErr.Feature)
		}
		return nil, &scriptError{pos{1, 1}, err.Error()}
	}
	if err := checkComments(file); err != nil {
		return nil, err
	}
	commands := make([]command, 0, len(file.Stmts))
	for _, stmt := range file.Stmts {
		c, err := convertStmt(stmt)
		if err != nil {
			return nil, err
		}
		commands = append(commands, c)
	}
	return commands, nil
}

// checkBytes rejects bytes that the parser skips but a shell does not: NUL and,
// at the end of a line, CR. It also rejects a byte order mark, which is
// invisible and would become a part of the first word, as it does in a shell.
func checkBytes(text []byte) error {
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		return &scriptError{pos{1, 1}, "a byte order mark: save the file as UTF-8 without it"}
	}
	i := bytes.IndexAny(text, "\x00\r")
	if i < 0 {
		return nil
	}
	before := text[:i]
	where := pos{bytes.Count(before, []byte{'\n'}) + 1, i - bytes.LastIndexByte(before, '\n')}
	if text[i] == 0 {
		return &scriptError{where, "a NUL byte: this is not a script"}
	}
	return &scriptError{where, "a carriage return: save the file with LF alone at the end of lines, not CR LF"}
}

// checkComments rejects a comment that ends with a backslash: the parser reads
// the next line as more words of the command before the comment, a shell does
// not.
func checkComments(file *syntax.File) (err error) {
	syntax.Walk(file, func(node syntax.Node) bool {
		if c, ok := node.(*syntax.Comment); ok && err == nil && strings.HasSuffix(c.Text, "\n") {
			err = &scriptError{at(c.Hash), "a comment must not end with a backslash"}
		}
		return err == nil
	})
	return err
}

func at(p syntax.Pos) pos { return pos{int(p.Line()), int(p.Col())} }

// convertStmt turns a statement of the parser into a command.
func convertStmt(stmt *syntax.Stmt) (command, error) {
	where := at(stmt.Pos())
	c := command{pos: where}
	switch {
	case stmt.Negated:
		return c, unsupported(where, "negations (!)")
	case stmt.Background:
		return c, unsupported(at(stmt.Semicolon), "background commands (&)")
	}
	switch cmd := stmt.Cmd.(type) {
	case nil:
	case *syntax.CallExpr:
		if err := c.addCall(cmd); err != nil {
			return c, err
		}
	case *syntax.BinaryCmd:
		if isOrExit(cmd) {
			return c, &scriptError{at(cmd.OpPos), "|| exit is not supported and not needed: a command that fails ends the script"}
		}
		if cmd.Op == syntax.AndStmt || cmd.Op == syntax.OrStmt {
			return c, unsupported(at(cmd.OpPos), "conditionals ("+cmd.Op.String()+")")
		}
		return c, unsupported(at(cmd.OpPos), "pipes")
	default:
		return c, unsupported(where, compoundName(cmd))
	}
	for _, r := range stmt.Redirs {
		converted, err := convertRedirect(r)
		if err != nil {
			return c, err
		}
		c.redirects = append(c.redirects, converted)
	}
	return c, c.checkBuiltin()
}

// isOrExit recognises "|| exit", which many scripts have after each cd.
func isOrExit(cmd *syntax.BinaryCmd) bool {
	call, ok := cmd.Y.Cmd.(*syntax.CallExpr)
	return ok && cmd.Op == syntax.OrStmt && len(call.Args) > 0 && call.Args[0].Lit() == "exit"
}

// compoundName returns the name, in the plural, of a command that is not
// supported.
func compoundName(cmd syntax.Command) string {
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

func (c *command) addCall(cmd *syntax.CallExpr) error {
	for _, a := range cmd.Assigns {
		where := at(a.Pos())
		switch {
		case a.Append:
			return unsupported(where, "appending assignments (+=)")
		case a.Index != nil, a.Array != nil:
			return unsupported(where, "arrays")
		}
		if err := checkVariableName(a.Name.Value, where); err != nil {
			return err
		}
		value := new(word)
		if a.Value != nil {
			var err error
			if *value, err = convertSingle(a.Value, true); err != nil {
				return err
			}
		}
		c.assignments = append(c.assignments, assignment{where, a.Name.Value, value})
	}
	for i, w := range cmd.Args {
		// The arguments of export are assignments too.
		assignment := i > 0 && c.isBuiltin("export")
		converted, err := convert(w, assignment)
		if err != nil {
			return err
		}
		c.words = append(c.words, converted)
	}
	return nil
}

// isBuiltin reports whether the first word is name, without an expansion.
func (c *command) isBuiltin(name string) bool {
	if len(c.words) == 0 {
		return false
	}
	text, ok := c.words[0].static()
	return ok && text == name
}

// reservedVariables are the variables that a shell computes or obeys, and that
// we do not. PS1, PS2 and PS4 are among them because a shell sets them, and _
// because bash and busybox set it.
const reservedVariables = " IFS LINENO OPTIND PS1 PS2 PS4 _ "

// checkVariableName rejects the names in reservedVariables.
func checkVariableName(name string, where pos) error {
	if strings.Contains(reservedVariables, " "+name+" ") {
		return &scriptError{where, name + " is a special variable of the shell: use a shell"}
	}
	return nil
}

func convertRedirect(r *syntax.Redirect) (redirect, error) {
	where := at(r.Pos())
	converted := redirect{pos: where, source: closed}
	switch r.Op {
	case syntax.RdrIn:
		converted.flags = reading
	case syntax.RdrOut, syntax.RdrClob:
		converted.flags, converted.fd = writing, 1
	case syntax.AppOut:
		converted.flags, converted.fd = appending, 1
	case syntax.RdrInOut:
		converted.flags = readWrite
	case syntax.DplIn:
	case syntax.DplOut:
		converted.fd = 1
	case syntax.Hdoc, syntax.DashHdoc:
		return converted, unsupported(where, "here-documents")
	default:
		return converted, unsupported(where, "redirections of this kind ("+r.Op.String()+")")
	}
	if r.N != nil {
		if len(r.N.Value) != 1 || !isDigits(r.N.Value) {
			return converted, &scriptError{where, "descriptors are 0 to 9: write a space before " + r.Op.String() + " if " + r.N.Value + " is an argument"}
		}
		converted.fd = int(r.N.Value[0] - '0')
	}
	w, err := convertSingle(r.Word, false)
	if err != nil {
		return converted, err
	}
	if r.Op != syntax.DplIn && r.Op != syntax.DplOut {
		converted.file = &w
		return converted, nil
	}
	switch text, _ := w.static(); {
	case len(text) == 1 && isDigits(text):
		converted.source = int(text[0] - '0')
	case text != "-":
		return converted, &scriptError{w.pos, "after " + r.Op.String() + " there must be a descriptor, 0 to 9, or -"}
	}
	return converted, nil
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
