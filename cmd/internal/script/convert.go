package script

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A word expands to any number of arguments.
type word struct {
	pos
	parts  []part
	isArgs bool // "$@"
}

// A part of a word is text or an expansion of a parameter.
type part struct {
	pos
	text   string
	quoted bool
	param  *param
}

// A param is $name or ${name op arg}.
type param struct {
	name string
	op   syntax.ParExpOperator // 0 if there is none
	arg  []part
}

// static returns the text of a word that has no expansions.
func (w word) static() (string, bool) {
	text := ""
	for _, p := range w.parts {
		if p.param != nil {
			return "", false
		}
		text += p.text
	}
	return text, !w.isArgs
}

// convert converts a word of the parser. In the value of an assignment a
// pattern is plain text, as in a shell.
func convert(from *syntax.Word, assignment bool) (word, error) {
	w := word{pos: at(from.Pos())}
	if isQuotedArgs(from) {
		w.isArgs = true
		return w, nil
	}
	c := converter{allowPatterns: assignment}
	if err := c.addParts(from.Parts, false, false); err != nil {
		return w, err
	}
	w.parts = c.parts
	return w, w.checkTilde(assignment)
}

// convertSingle converts a word that must expand to exactly one argument.
func convertSingle(from *syntax.Word, assignment bool) (word, error) {
	w, err := convert(from, assignment)
	if err == nil && w.isArgs {
		err = unsupportedArgs(w.pos)
	}
	return w, err
}

func unsupportedArgs(where pos) error {
	return &scriptError{where, `$@ is supported only as "$@", a word of its own`}
}

// isQuotedArgs reports whether the word is "$@" and nothing else.
func isQuotedArgs(w *syntax.Word) bool {
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
	parts         []part
	allowPatterns bool // *, ? and [ ] are plain text
	bracket       pos  // of the last [, which a ] makes a pattern
	brace         pos  // of the first {
	hasList       bool // a comma or .. follows the brace
}

// checkBraces rejects what bash, also when called as sh, expands to several
// words: {a,b} and {1..9}. It is called for each byte b of unquoted text, with
// the text behind it.
func (c *converter) checkBraces(b byte, rest string, where pos) error {
	switch {
	case c.brace.line == 0:
		if b == '{' {
			c.brace = where
		}
	case b == ',' || b == '.' && strings.HasPrefix(rest, "."):
		c.hasList = true
	case b == '}' && c.hasList:
		return &scriptError{c.brace, "braces with a comma or .. are expanded by some shells: quote them"}
	}
	return nil
}

// addParts converts parts of the parser. quoted and braces say whether they are
// within double quotes and within the braces of a parameter expansion.
func (c *converter) addParts(parts []syntax.WordPart, quoted, braces bool) error {
	for i, p := range parts {
		where := at(p.Pos())
		switch p := p.(type) {
		case *syntax.Lit:
			if err := c.addLiteral(p, quoted, braces); err != nil {
				return err
			}
			if !quoted && i+1 < len(parts) && isQuoted(parts[i+1]) && c.endsWithDollar() {
				// $'\n' is an escape in bash and POSIX.1-2024, a plain dollar in dash.
				return unsupported(where, "quotes after $")
			}
		case *syntax.SglQuoted:
			if quoted {
				return nestedQuotes(where)
			}
			c.parts = append(c.parts, part{pos: where, text: p.Value, quoted: true})
		case *syntax.DblQuoted:
			if quoted {
				return nestedQuotes(where)
			}
			c.parts = append(c.parts, part{pos: where, quoted: true}) // for "" and "$UNSET"
			if err := c.addParts(p.Parts, true, false); err != nil {
				return err
			}
		case *syntax.ParamExp:
			if err := c.addParameter(p, quoted); err != nil {
				return err
			}
		case *syntax.CmdSubst:
			return unsupported(where, "command substitutions")
		case *syntax.ArithmExp:
			return unsupported(where, "arithmetic expansions")
		default:
			return unsupported(where, "words of this kind")
		}
	}
	return nil
}

func isQuoted(p syntax.WordPart) bool {
	switch p.(type) {
	case *syntax.SglQuoted, *syntax.DblQuoted:
		return true
	}
	return false
}

// endsWithDollar reports whether the word so far ends with an unquoted dollar.
func (c *converter) endsWithDollar() bool {
	if len(c.parts) == 0 {
		return false
	}
	last := c.parts[len(c.parts)-1]
	return !last.quoted && strings.HasSuffix(last.text, "$")
}

// nestedQuotes rejects "${A:-"x"}", which shells interpret differently.
func nestedQuotes(where pos) error {
	return unsupported(where, "quotes within ${ } within double quotes")
}

// addLiteral adds plain text. It removes the backslashes: the byte after one is
// quoted.
func (c *converter) addLiteral(lit *syntax.Lit, quoted, braces bool) error {
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
			i++ // a continued line, which the parser leaves in the text after \\
			continue
		case b == '\\' && i+1 < len(text) && (!quoted || strings.IndexByte("$`\"\\", text[i+1]) >= 0 || braces && text[i+1] == '}'):
			flush()
			i++
			c.parts = append(c.parts, part{pos: here, text: text[i : i+1], quoted: true})
			continue
		}
		if !quoted {
			if err := c.checkBraces(b, text[i+1:], here); err != nil {
				return err
			}
		}
		switch {
		case quoted || c.allowPatterns:
		case b == '*' || b == '?' || b == ']' && c.bracket.line > 0:
			if b == ']' {
				here, b = c.bracket, '['
			}
			return &scriptError{here, "file name patterns (" + string(b) + ") are not supported: quote it, or use a shell"}
		case b == '[':
			c.bracket = here
		}
		plain.WriteByte(b)
	}
	flush()
	return nil
}

// addParameter converts $NAME and ${NAME...}.
func (c *converter) addParameter(from *syntax.ParamExp, quoted bool) error {
	where := at(from.Pos())
	switch {
	case from.Length:
		return unsupported(where, "lengths (${#NAME})")
	case from.Param == nil, from.Index != nil, from.Slice != nil, from.Repl != nil, from.Excl, from.Width, from.Names != 0:
		return unsupported(where, "expansions of this kind")
	}
	p := &param{name: from.Param.Value}
	plain := syntax.ValidName(p.name)
	switch {
	case plain:
		if err := checkVariableName(p.name, where); err != nil {
			return err
		}
	case p.name == "@":
		return unsupportedArgs(where)
	case p.name == "#", p.name == "$", isDigits(p.name):
	default:
		return &scriptError{where, "$" + p.name + " is not supported: use a shell"}
	}
	if from.Exp != nil {
		p.op = from.Exp.Op
		switch p.op {
		case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.ErrorUnset, syntax.ErrorUnsetOrNull,
			syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
		case syntax.AssignUnset, syntax.AssignUnsetOrNull:
			if !plain {
				return &scriptError{where, "$" + p.name + " cannot be assigned to"}
			}
		default:
			return unsupported(where, "pattern removals (${NAME"+p.op.String()+"...})")
		}
		if from.Exp.Word != nil {
			arg := converter{allowPatterns: c.allowPatterns}
			if err := arg.addParts(from.Exp.Word.Parts, quoted, true); err != nil {
				return err
			}
			p.arg = arg.parts
			if err := (word{parts: p.arg}).checkTilde(false); err != nil {
				return err
			}
		}
	}
	c.parts = append(c.parts, part{pos: where, quoted: quoted, param: p})
	return nil
}

// checkTilde rejects a ~ that a shell would replace by a directory: at the
// beginning of a word and, in an assignment, after a colon.
func (w word) checkTilde(assignment bool) error {
	for i, p := range w.parts {
		if p.quoted || p.param != nil {
			continue
		}
		if i == 0 && strings.HasPrefix(p.text, "~") || assignment && strings.Contains(p.text, ":~") {
			return &scriptError{p.pos, "~ is not supported: write $HOME, or quote it"}
		}
	}
	return nil
}
