package applet

// Options reads options as daemontools' sgetopt does: letters in clusters, up
// to the first argument that is none. "-" is an argument, and anything that
// begins with "--" ends the options, itself consumed.
//
//	o := applet.Options{Args: e.Args, Known: "nNo:"}
//	for o.Next() {
//		switch o.Letter { case 'o': use(o.Value) }
//	}
//	if o.Bad != "" {
//		e.Say(o.Bad)
//		return ErrUsage
//	}
type Options struct {
	Args  []string // those not read yet; after the last Next, the operands
	Known string   // the letters, each followed by ':' where it takes a value

	Letter byte
	Value  string // of a letter that takes one: the cluster's rest, or the next argument
	Bad    string // why Next stopped: "illegal option -- z", empty at the regular end

	pos int // in the cluster Args[0]; 0 between clusters
}

// Next reads one option. It returns false at the end of the options and at
// one that it does not know; Bad tells these apart.
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
			o.Args = o.Args[1:]
			return false
		}
		o.pos = 1
	}
	o.Letter = o.Args[0][o.pos]
	o.pos++
	switch o.kind() {
	case unknown:
		o.Bad = "illegal option -- " + string([]byte{o.Letter})
		return false
	case valued:
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

type kind int

const (
	unknown kind = iota
	plain
	valued
)

// kind looks Letter up in Known.
func (o *Options) kind() kind {
	for i := 0; i < len(o.Known); i++ {
		takes := i+1 < len(o.Known) && o.Known[i+1] == ':'
		switch {
		case o.Known[i] == o.Letter && takes:
			return valued
		case o.Known[i] == o.Letter:
			return plain
		case takes:
			i++
		}
	}
	return unknown
}
