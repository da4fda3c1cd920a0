package check

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"svinit/cmd/internal/script"
	"svinit/services/program"
	"svinit/services/spec"
)

// shells are the interpreters whose scripts are understood.
var shells = []string{"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "busybox"}

// shellScript is a script of a shell, or one of svinit run.
type shellScript struct {
	c      *checker
	file   string
	dir    string
	own    bool // it is executed by svinit run, which puts exec before the last command itself
	traps  bool // it handles signals itself
	funcs  map[string]*syntax.Stmt
	inside []string // the functions that are being looked at
}

// checkScript looks at how the script run ends: the shell has to become the
// program, which has to stay.
func (c *checker) checkScript(file, dir string) {
	line, _ := program.FirstLine(file)
	interpreter := interpreterName(line)
	own := interpreter == binary
	if !own && !slices.Contains(shells, interpreter) {
		return
	}
	content, err := spec.ReadFile(file)
	if err != nil {
		return
	}
	if i := bytes.Index(content, []byte("\r\n")); i >= 0 {
		c.error(file, 1+bytes.Count(content[:i], []byte("\n")), "the line ends with CR LF, as Windows does: save the file with LF alone")
		return
	}
	if own {
		if line, text := script.Check(content); text != "" {
			c.error(file, line, text)
			return
		}
	}
	tree, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(bytes.NewReader(content), "")
	if err != nil {
		line, text := 0, err.Error()
		var parse syntax.ParseError
		if errors.As(err, &parse) {
			line, text = int(parse.Pos.Line()), parse.Text
		}
		if interpreter != "zsh" { // which has a grammar of its own
			c.warning(file, line, "a shell may not understand this: "+text)
		}
		return
	}
	s := &shellScript{c: c, file: file, dir: dir, own: own, funcs: make(map[string]*syntax.Stmt)}
	syntax.Walk(tree, s.note)
	if len(tree.Stmts) == 0 {
		c.error(file, 0, "no command: the service ends at once")
		return
	}
	s.lastOf(tree.Stmts)
}

// interpreterName returns the name of the program that executes a script, ""
// if it has no first line: behind env(1) and with-contenv(1) the one that these
// execute.
func interpreterName(line string) string {
	text, ok := strings.CutPrefix(line, "#!")
	if !ok {
		return ""
	}
	for word := range strings.FieldsSeq(text) {
		name := filepath.Base(word)
		if name != "env" && name != "with-contenv" && !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
			return name
		}
	}
	return ""
}

// note collects functions and traps.
func (s *shellScript) note(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.FuncDecl:
		if n.Name != nil {
			s.funcs[n.Name.Value] = n.Body
		}
	case *syntax.CallExpr:
		if len(n.Args) > 1 && n.Args[0].Lit() == "trap" {
			s.traps = true
		}
	}
	return true
}

// last looks at a command after which the script ends.
func (s *shellScript) last(stmt *syntax.Stmt) {
	if stmt.Background {
		s.c.error(s.file, int(stmt.Pos().Line()), "the last command is put into the background, so the service ends at once: put exec before it, and remove the &")
		return
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		s.call(cmd)
	case *syntax.Block:
		s.lastOf(cmd.Stmts)
	case *syntax.IfClause:
		for branch := cmd; branch != nil; branch = branch.Else {
			s.lastOf(branch.Then)
		}
	case *syntax.CaseClause:
		for _, item := range cmd.Items {
			s.lastOf(item.Stmts)
		}
	case *syntax.BinaryCmd:
		switch cmd.Op {
		case syntax.OrStmt:
			s.last(cmd.X)
			s.last(cmd.Y)
		case syntax.AndStmt:
			s.last(cmd.Y)
		default:
			s.pipeline(cmd)
		}
	}
}

// lastOf looks at the last of some commands. One in the background before exit
// and the like is not waited for either.
func (s *shellScript) lastOf(stmts []*syntax.Stmt) {
	for i := len(stmts) - 1; i >= 0; i-- {
		if i == len(stmts)-1 || stmts[i].Background {
			s.last(stmts[i])
		}
		call, ok := stmts[i].Cmd.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 || stmts[i].Background || !slices.Contains(idle, call.Args[0].Lit()) {
			return
		}
	}
}

// idle are commands that wait for nothing.
var idle = []string{":", "true", "exit", "return", "echo", "printf"}

// pipeline is a warning: the shell waits for it.
func (s *shellScript) pipeline(cmd *syntax.BinaryCmd) {
	if !s.traps {
		s.c.warning(s.file, int(cmd.Pos().Line()), "the script ends with a pipeline, so signals reach the shell and not the program: use log/run, and exec the program alone")
	}
}

// brief are commands after which a script may end, because they are done soon or
// are the shell itself.
var brief = []string{
	":", "true", "false", "exit", "return", "wait", "trap", "cd", "echo", "printf", "test", "[", "set", "unset", "export", "read", "shift",
	"umask", "ulimit", "kill", ".", "source", "eval", "rm", "touch", "mkdir", "mkfifo", "chown", "chmod", "cp", "mv", "ln", "install",
	"sv", "svc", "s6-svc", "svwait", "s6-svwait", "killall", "pkill", "logger",
}

// call looks at a simple command after which the script ends.
func (s *shellScript) call(cmd *syntax.CallExpr) {
	words := make([]word, 0, len(cmd.Args))
	for _, arg := range cmd.Args {
		words = append(words, fixed(arg))
	}
	words, execs := skipExec(words)
	if len(words) == 0 {
		return
	}
	line := int(cmd.Args[0].Pos().Line())
	name := called(words[0])
	if body := s.funcs[name]; body != nil && !execs {
		if !slices.Contains(s.inside, name) {
			s.inside = append(s.inside, name)
			s.last(body)
			s.inside = s.inside[:len(s.inside)-1]
		}
		return
	}
	if !execs && slices.Contains(brief, name) {
		return
	}
	if why, sure := background(skipLoaders(words), s.dir); why != "" {
		s.c.findings = append(s.c.findings, finding{s.file, line, !sure, why})
		return
	}
	if !execs && !s.own && !s.traps {
		if name == "" {
			name = "the program"
		}
		s.c.warning(s.file, line, name+" is started without exec, so signals reach the shell and not it: put exec before it")
	}
}

// skipExec returns a command without exec and its options, and whether it had
// exec.
func skipExec(words []word) (rest []word, execs bool) {
	for len(words) > 0 && (words[0].text == "exec" || words[0].text == "command") {
		execs = execs || words[0].text == "exec"
		words = words[1:]
		for len(words) > 0 && strings.HasPrefix(words[0].text, "-") {
			takes := words[0].text == "-a"
			if words = words[1:]; takes && len(words) > 0 {
				words = words[1:]
			}
		}
	}
	return words, execs
}

// fixed returns a word without its expansions.
func fixed(w *syntax.Word) word {
	parts := w.Parts
	got := word{known: true}
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		switch p := part.(type) {
		case *syntax.Lit:
			got.text += strings.ReplaceAll(strings.ReplaceAll(p.Value, "\\\n", ""), "\\", "")
		case *syntax.SglQuoted:
			got.text += p.Value
		case *syntax.DblQuoted:
			parts = append(slices.Clone(p.Parts), parts...)
		default:
			got.known = false
		}
	}
	return got
}
