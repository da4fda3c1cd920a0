package svlog

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s for use within a line. A string with characters that
// cannot be printed, such as newlines, or with bytes that are not UTF-8 is
// escaped as in a Go string literal, except that quotes are not. Any other
// string stays as it is, and so does the result of Printable.
func Printable(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
