package applet

import (
	"errors"
	"strconv"
	"strings"
)

// Table has the tools of the binary, in the order in which help lists them.
type Table []*Command

// Find returns the tool of that name, or nil.
func (t Table) Find(name string) *Command {
	for _, c := range t {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Summaries returns one line per tool with its name and summary.
func (t Table) Summaries() string {
	width := 0
	for _, c := range t {
		width = max(width, len(c.Name))
	}
	var b strings.Builder
	for _, c := range t {
		b.WriteString("  " + c.Name + strings.Repeat(" ", width-len(c.Name)+2) + c.Summary + "\n")
	}
	return b.String()
}

// Page returns the name of the tool's manual page.
func (c *Command) Page() string {
	if c.Subcommand {
		return "svinit-" + c.Name
	}
	if c.Compat {
		return "svinit-compat"
	}
	return c.Name
}

// HelpText returns the help text of the tool.
func (c *Command) HelpText() string {
	return c.Name + ": " + c.Summary + "\n\n" +
		"usage: " + c.Synopsis + "\n\n" +
		c.Help + "\n" +
		"See the manual page " + c.Page() + "(" + strconv.Itoa(c.Section) + ").\n"
}

// Help returns the help text of the tool of that name. The error contains the name.
func (t Table) Help(name string) (string, error) {
	if c := t.Find(name); c != nil {
		return c.HelpText(), nil
	}
	return "", errors.New("no tool is called " + strconv.Quote(name))
}
