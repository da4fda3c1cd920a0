package script

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A word becomes any number of arguments.
type word struct {
	pos
	parts []part
	args  bool // "$@"
}

// A part of a word is text or a parameter.
type part struct {
	pos
	text   string
	quoted bool
	param  *param
}

// A param is $name or ${name op arg}.
type param struct {
	name string
	op   syntax.ParExpOperator // 0 where there is none
	arg  []part
}

// static returns the word when no expansion has part in it.
func (w word) static() (string, bool) {
	text := ""
	for _, p := range w.parts {
		if p.param != nil {
			return "", false
		}
		text += p.text
	}
	return text, !w.args
}

// convert turns a word of the parser into ours. In the value of an assignment
// a pattern is text, as it is to a shell.
func convert(from *syntax.Word, assignment bool) (word, error) {
	w := word{pos: at(from.Pos())}
	if isArgs(from) {
		w.args = true
		return w, nil
	}
	c := converter{patterns: assignment}
	if err := c.add(from.Parts, false, false); err != nil {
		return w, err
	}
	w.parts = c.parts
	return w, w.tilde(assignment)
}

// single converts a word that becomes one argument in any case.
func single(from *syntax.Word, assignment bool) (word, error) {
	w, err := convert(from, assignment)
	if err == nil && w.args {
		err = args(w.pos)
	}
	return w, err
}

func args(where pos) error {
	return &fault{where, `$@ is supported only as "$@", a word of its own`}
}

// isArgs recognises "$@" as a word of its own.
func isArgs(w *syntax.Word) bool {
	if len(w.Parts) != 1 {
		return false
	}
	quotes, ok := w.Parts[0].(*syntax.DblQuoted)
	if !ok || len(quotes.Parts) != 1 {
		return false
	}
	p, ok := quotes.Parts[0].(*syntax.ParamExp)
	return ok && p.Param != nil && p.Param.Value == "@" && p.Exp == nil && !p.Length
}

// A converter collects the parts of one word.
type converter struct {
	parts    []part
	patterns bool // are text
	bracket  pos  // of a [ that waits for its ]
	brace    pos  // of the first {
	list     bool // and has a comma or .. behind it
}

// braces refuses what bash, called sh too, makes several words of: {a,b} and
// {1..9}. What follows b is rest.
func (c *converter) braces(b byte, rest string, where pos) error {
	switch {
	case c.brace.line == 0:
		if b == '{' {
			c.brace = where
		}
	case b == ',' || b == '.' && strings.HasPrefix(rest, "."):
		c.list = true
	case b == '}' && c.list:
		return &fault{c.brace, "braces with a comma or .. mean more to some shells: quote them"}
	}
	return nil
}

// add converts parts of the parser's. They are within double quotes, or within
// the braces of a parameter, or both.
func (c *converter) add(parts []syntax.WordPart, quoted, braces bool) error {
	for i, p := range parts {
		where := at(p.Pos())
		switch p := p.(type) {
		case *syntax.Lit:
			if err := c.literal(p, quoted, braces); err != nil {
				return err
			}
			if !quoted && i+1 < len(parts) && quotes(parts[i+1]) && c.dollar() {
				// Bash and POSIX of 2024 have $'\n', dash takes the dollar for itself.
				return refuse(where, "quotes after $")
			}
		case *syntax.SglQuoted:
			if quoted {
				return mixed(where)
			}
			c.parts = append(c.parts, part{pos: where, text: p.Value, quoted: true})
		case *syntax.DblQuoted:
			if quoted {
				return mixed(where)
			}
			c.parts = append(c.parts, part{pos: where, quoted: true}) // for "" and "$UNSET"
			if err := c.add(p.Parts, true, false); err != nil {
				return err
			}
		case *syntax.ParamExp:
			if err := c.param(p, quoted); err != nil {
				return err
			}
		case *syntax.CmdSubst:
			return refuse(where, "command substitutions")
		case *syntax.ArithmExp:
			return refuse(where, "arithmetic expansions")
		default:
			return refuse(where, "words of this kind")
		}
	}
	return nil
}

func quotes(p syntax.WordPart) bool {
	switch p.(type) {
	case *syntax.SglQuoted, *syntax.DblQuoted:
		return true
	}
	return false
}

// dollar reports whether what there is ends with a dollar that is not quoted.
func (c *converter) dollar() bool {
	if len(c.parts) == 0 {
		return false
	}
	last := c.parts[len(c.parts)-1]
	return !last.quoted && strings.HasSuffix(last.text, "$")
}

// mixed refuses "${A:-"x"}", which shells read in different ways.
func mixed(where pos) error { return refuse(where, "quotes within ${ } within double quotes") }

// literal takes the backslashes out of plain text: what follows one is quoted.
func (c *converter) literal(lit *syntax.Lit, quoted, braces bool) error {
	where := at(lit.Pos())
	text := lit.Value
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			c.parts = append(c.parts, part{pos: where, text: plain.String(), quoted: quoted})
			plain.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		here := pos{where.line, where.col + i}
		b := text[i]
		switch {
		case b == '\\' && i+1 < len(text) && text[i+1] == '\n':
			i++ // a line that goes on, which the parser leaves there after \\
			continue
		case b == '\\' && i+1 < len(text) && (!quoted || strings.IndexByte("$`\"\\", text[i+1]) >= 0 || braces && text[i+1] == '}'):
			flush()
			i++
			c.parts = append(c.parts, part{pos: here, text: text[i : i+1], quoted: true})
			continue
		}
		if !quoted {
			if err := c.braces(b, text[i+1:], here); err != nil {
				return err
			}
		}
		switch {
		case quoted || c.patterns:
		case b == '*' || b == '?' || b == ']' && c.bracket.line > 0:
			if b == ']' {
				here, b = c.bracket, '['
			}
			return &fault{here, "patterns of file names (" + string(b) + ") are not supported: quote it, or use a shell"}
		case b == '[':
			c.bracket = here
		}
		plain.WriteByte(b)
	}
	flush()
	return nil
}

// param converts $NAME and ${NAME...}.
func (c *converter) param(from *syntax.ParamExp, quoted bool) error {
	where := at(from.Pos())
	switch {
	case from.Length:
		return refuse(where, "lengths (${#NAME})")
	case from.Param == nil, from.Index != nil, from.Slice != nil, from.Repl != nil, from.Excl, from.Width, from.Names != 0:
		return refuse(where, "expansions of this kind")
	}
	p := &param{name: from.Param.Value}
	plain := syntax.ValidName(p.name)
	switch {
	case plain:
		if err := settable(p.name, where); err != nil {
			return err
		}
	case p.name == "@":
		return args(where)
	case p.name == "#", p.name == "$", digit(p.name):
	default:
		return &fault{where, "$" + p.name + " is not supported: use a shell"}
	}
	if from.Exp != nil {
		p.op = from.Exp.Op
		switch p.op {
		case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.ErrorUnset, syntax.ErrorUnsetOrNull,
			syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		case syntax.AssignUnset, syntax.AssignUnsetOrNull:
			if !plain {
				return &fault{where, "$" + p.name + " cannot be assigned to"}
			}
		default:
			return refuse(where, "removals of patterns (${NAME"+p.op.String()+"...})")
		}
		if from.Exp.Word != nil {
			arg := converter{patterns: c.patterns}
			if err := arg.add(from.Exp.Word.Parts, quoted, true); err != nil {
				return err
			}
			p.arg = arg.parts
			if err := (word{parts: p.arg}).tilde(false); err != nil {
				return err
			}
		}
	}
	c.parts = append(c.parts, part{pos: where, quoted: quoted, param: p})
	return nil
}

// tilde refuses a ~ that a shell would replace by a directory. In an
// assignment it may also stand after a colon.
func (w word) tilde(assignment bool) error {
	for i, p := range w.parts {
		if p.quoted || p.param != nil {
			continue
		}
		if i == 0 && strings.HasPrefix(p.text, "~") || assignment && strings.Contains(p.text, ":~") {
			return &fault{p.pos, "~ is not supported: write $HOME, or quote it"}
		}
	}
	return nil
}
