package safe

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// acts says whether a terminal obeys the character instead of showing it.
func acts(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Text is s as it is, or quoted as in Go where it holds a control character or octets that are no UTF-8.
func Text(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return acts(r) || r == utf8.RuneError }) < 0 {
		return s
	}
	q := strconv.QuoteToASCII(s)
	return q[1 : len(q)-1]
}

// URL is an address as it may be quoted in an error, with the word or two that say what it is: an address that could not be
// read may hold a password wherever there is an @.
func URL(address string) string {
	if strings.Contains(address, "@") {
		return "the address, not shown because it may hold a password,"
	}
	return strconv.Quote(address)
}

// Lines is Text of each line.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = Text(lines[i])
	}
	return strings.Join(lines, "\n")
}

// JSON writes the control characters of a JSON document as \u escapes: they stand in its strings only, but for the line ends and tabs
// between its words.
func JSON(document []byte) []byte {
	between := func(r rune) bool { return r == '\n' || r == '\t' || r == '\r' }
	if bytes.IndexFunc(document, func(r rune) bool { return acts(r) && !between(r) }) < 0 {
		return document
	}
	var out bytes.Buffer
	for _, r := range string(document) {
		if acts(r) && !between(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}
