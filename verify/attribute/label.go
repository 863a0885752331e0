package attribute

import "bytes"

// MaxLabel is the longest label, in octets. A choice: version names are short, and what is longer is not one.
const MaxLabel = 128

// Found says what a reply told about its version.
type Found uint8

// The possibilities. The zero value is the safe reading.
const (
	Absent Found = iota // no label, or an empty one
	Usable              // one label
	Bad                 // several different ones, too long, or not printable
)

// FromList reads the value of a header, its lines joined by commas: elements are trimmed, empty ones skipped, and all
// must be equal. The label is a slice of list; nothing is allocated.
func FromList(list []byte) ([]byte, Found) {
	var label []byte
	for len(list) > 0 {
		element := list
		if i := bytes.IndexByte(list, ','); i >= 0 {
			element, list = list[:i], list[i+1:]
		} else {
			list = nil
		}
		element = trim(element)
		switch {
		case len(element) == 0:
		case label == nil:
			label = element
		case !bytes.Equal(label, element):
			return nil, Bad
		}
	}
	return Check(label)
}

// Check says whether one value is usable as a label: 1 to MaxLabel octets, each from space to tilde.
func Check(label []byte) ([]byte, Found) {
	if len(label) == 0 {
		return nil, Absent
	}
	if len(label) > MaxLabel {
		return nil, Bad
	}
	for _, c := range label {
		if c < 0x20 || c > 0x7e {
			return nil, Bad
		}
	}
	return label, Usable
}

// trim cuts spaces and tabs at both ends: the optional whitespace of RFC 9110, 5.6.3.
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
