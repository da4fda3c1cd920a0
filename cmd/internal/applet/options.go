package applet

// Options parses options as daemontools' sgetopt does: letters in clusters, up to
// the first argument that is not an option. "-" is an operand. An argument that
// begins with "--" ends the options and is skipped; that is "--" itself, since sgetopt
// would silently ignore a word that was meant as an option, as in "svc --down web".
//
//	o := applet.Options{Args: e.Args, Known: "nNo:"}
//	for o.Next() {
//		switch o.Letter { case 'o': use(o.Value) }
//	}
//	if o.Bad != "" {
//		e.Log(o.Bad)
//		return ErrUsage
//	}
type Options struct {
	Args  []string // not parsed yet; after the last Next, the operands
	Known string   // the letters, followed by ':' if they take a value, as for getopt(3)

	Letter byte   // of the option
	Value  string // of the option, if it takes one: the rest of the cluster, or the next argument
	Bad    string // the error that ended the options, as in "illegal option -- z"; "" if there is none

	pos int // in the cluster Args[0]; 0 between clusters
}

// Next parses one option. It returns false at the end of the options, or at an
// error, which it stores in Bad.
func (o *Options) Next() bool {
	o.Value = ""
	if o.pos > 0 && o.pos == len(o.Args[0]) {
		o.Args, o.pos = o.Args[1:], 0
	}
	if o.pos == 0 {
		if len(o.Args) == 0 || len(o.Args[0]) < 2 || o.Args[0][0] != '-' {
			return false
		}
		if o.Args[0][1] == '-' {
			if o.Args[0] != "--" {
				o.Bad = "unknown option " + o.Args[0]
			}
			o.Args = o.Args[1:]
			return false
		}
		o.pos = 1
	}
	o.Letter = o.Args[0][o.pos]
	o.pos++
	switch o.lookup() {
	case optionUnknown:
		o.Bad = "illegal option -- " + string([]byte{o.Letter})
		return false
	case optionWithValue:
		o.Value = o.Args[0][o.pos:]
		o.Args, o.pos = o.Args[1:], 0
		if o.Value == "" {
			if len(o.Args) == 0 {
				o.Bad = "option requires an argument -- " + string([]byte{o.Letter})
				return false
			}
			o.Value, o.Args = o.Args[0], o.Args[1:]
		}
	}
	return true
}

type optionKind int

const (
	optionUnknown optionKind = iota
	optionPlain
	optionWithValue
)

// lookup looks up Letter in Known.
func (o *Options) lookup() optionKind {
	for i := 0; i < len(o.Known); i++ {
		takes := i+1 < len(o.Known) && o.Known[i+1] == ':'
		switch {
		case o.Known[i] == o.Letter && takes:
			return optionWithValue
		case o.Known[i] == o.Letter:
			return optionPlain
		case takes:
			i++
		}
	}
	return optionUnknown
}
