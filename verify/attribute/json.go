package attribute

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep a document may nest before it is given up as having no label.
const maxDepth = 512

// scanner walks a JSON text that arrives in pieces along one pointer and keeps the scalar it ends at. It reads no further
// than that, and it checks no more than it must to keep its place: the application's JSON is not ours to judge.
type scanner struct {
	tokens []string
	state  jsonState
	arrays [maxDepth]bool // by depth: whether the container is an array
	index  []int          // by depth up to len(tokens): position in the array, -1 before the first element
	depth  int            // open containers
	match  int            // how many of the containers' entries, from outside, lie on the pointer's path
	text   []byte         // of the string, number or word being read, decoded
	keep   bool           // whether text matters: a key to compare or the value wanted
	hex    int            // digits of \uXXXX still to come
	code   rune           // and their value
	high   rune           // a high surrogate waiting for its low one
	found  Found
}

type jsonState uint8

const (
	wantValue jsonState = iota
	wantKey             // in an object: a string or the end
	wantColon           //
	wantComma           // after a value: a comma or the end of the container
	inKey               //
	inString            //
	inKeyEsc            // after a backslash
	inStrEsc            //
	inScalar            // number, true, false, null
	doneState           // found, absent for good, or not JSON
)

func newScanner(tokens []string) *scanner {
	return &scanner{tokens: tokens, index: make([]int, len(tokens)+1)}
}

func (s *scanner) reset() {
	s.state, s.depth, s.match, s.found, s.text = wantValue, 0, 0, Absent, s.text[:0]
	s.hex, s.high = 0, 0 // a reply may end, or be found, inside an escape
}

func (s *scanner) label() ([]byte, Found) {
	if s.state == inScalar && s.depth == 0 {
		s.endScalar() // a document that is one number has no other end than the body's
	}
	if s.found != Usable {
		return nil, s.found
	}
	return Check(s.text)
}

func (s *scanner) write(octets []byte) {
	for i := 0; i < len(octets) && s.state != doneState; i++ {
		s.step(octets[i])
	}
}

func (s *scanner) step(c byte) {
	switch s.state {
	case inKey, inString:
		s.stringOctet(c)
		return
	case inKeyEsc, inStrEsc:
		s.escape(c)
		return
	case inScalar:
		if c > ' ' && c != ',' && c != '}' && c != ']' {
			s.add(c)
			return
		}
		s.endScalar()
		if s.state == doneState {
			return
		}
	}
	if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
		return
	}
	switch {
	case s.state == wantValue && s.depth == 0 && (c == 0xEF || c == 0xBB || c == 0xBF): // a byte order mark: RFC 8259, 8.1
	case s.state == wantValue:
		s.beginValue(c)
	case s.state == wantKey && c == '"':
		s.state, s.text = inKey, s.text[:0]
		s.keep = s.match == s.depth-1 && s.depth <= len(s.tokens)
	case s.state == wantColon && c == ':':
		s.state = wantValue
	case s.state == wantComma && c == ',' && s.depth > 0:
		s.nextEntry()
	case (s.state == wantComma || s.state == wantKey) && (c == '}' || c == ']') && s.depth > 0:
		s.closeContainer()
	default:
		s.state = doneState
	}
}

// nextEntry begins an object's key or an array's element.
func (s *scanner) nextEntry() {
	if !s.arrays[s.depth-1] {
		s.state = wantKey
		return
	}
	s.state = wantValue
	if s.match == s.depth-1 && s.depth <= len(s.tokens) {
		s.index[s.depth]++
		if strconv.Itoa(s.index[s.depth]) == s.tokens[s.depth-1] {
			s.match = s.depth
		}
	}
}

func (s *scanner) beginValue(c byte) {
	wanted := s.match == len(s.tokens) && s.depth == s.match
	switch c {
	case '{', '[':
		if wanted || s.depth == maxDepth {
			s.state = doneState // a container is no label
			return
		}
		s.arrays[s.depth] = c == '['
		s.depth++
		if s.depth < len(s.index) {
			s.index[s.depth] = -1
		}
		s.state = wantKey
		if c == '[' {
			s.nextEntry()
		}
	case '"':
		s.state, s.text, s.keep = inString, s.text[:0], wanted
	case ']':
		if s.depth > 0 && s.arrays[s.depth-1] { // an empty array, or a comma too much
			s.match = min(s.match, s.depth-1)
			s.closeContainer()
			return
		}
		s.state = doneState
	default:
		s.state, s.text, s.keep = inScalar, s.text[:0], wanted
		s.add(c)
	}
}

func (s *scanner) closeContainer() {
	s.depth--
	if s.match == s.depth && s.match > 0 || s.depth == 0 {
		// The entry on the path ends without the pointer's target; of equal keys the first counts, so it is absent.
		s.state = doneState
		return
	}
	s.state = wantComma
}

func (s *scanner) endValue() {
	switch {
	case s.keep:
		s.found, s.state = Usable, doneState
	case s.depth == 0 || s.match == s.depth: // a scalar where the path goes on
		s.state = doneState
	default:
		s.state = wantComma
	}
}

func (s *scanner) endScalar() {
	if s.keep && string(s.text) == "null" {
		s.state = doneState
		return
	}
	s.endValue()
}

func (s *scanner) stringOctet(c byte) {
	if c == '\\' {
		s.state += inKeyEsc - inKey
		return
	}
	s.endSurrogate()
	switch {
	case c != '"':
		s.add(c)
	case s.state == inString:
		s.endValue()
	default:
		if s.keep && string(s.text) == s.tokens[s.depth-1] {
			s.match = s.depth
		}
		s.state = wantColon
	}
}

func (s *scanner) escape(c byte) {
	if s.hex > 0 {
		s.hex--
		digit, err := strconv.ParseUint(string(rune(c)), 16, 8)
		if err != nil {
			s.state = doneState
			return
		}
		s.code = s.code<<4 | rune(digit)
		if s.hex == 0 {
			s.endCode()
		}
		return
	}
	switch c {
	case 'u':
		s.hex, s.code = 4, 0
		return
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	}
	s.endSurrogate()
	s.add(c)
	s.state -= inKeyEsc - inKey
}

// endCode takes \uXXXX. One half of a surrogate pair alone stands for no character: it becomes U+FFFD, as in encoding/json.
func (s *scanner) endCode() {
	s.state -= inKeyEsc - inKey
	if c := utf16.DecodeRune(s.high, s.code); c != utf8.RuneError {
		s.high = 0
		s.addRune(c)
		return
	}
	s.endSurrogate()
	if s.code >= 0xD800 && s.code < 0xDC00 {
		s.high = s.code
		return
	}
	s.addRune(s.code)
}

// endSurrogate is called when what follows a first half is no second one.
func (s *scanner) endSurrogate() {
	if s.high != 0 {
		s.high = 0
		s.addRune(utf8.RuneError)
	}
}

// addRune adds a character, or U+FFFD for what is none.
func (s *scanner) addRune(c rune) {
	var buf [utf8.UTFMax]byte
	for _, octet := range buf[:utf8.EncodeRune(buf[:], c)] {
		s.add(octet)
	}
}

// add keeps an octet if it matters. Nothing wanted is longer than a label or the longest token; one octet more shows
// that it was too long.
func (s *scanner) add(c byte) {
	if !s.keep {
		return
	}
	limit := MaxLabel
	if s.state == inKey || s.state == inKeyEsc {
		limit = len(s.tokens[s.depth-1])
	}
	if len(s.text) <= limit {
		s.text = append(s.text, c)
	}
}
