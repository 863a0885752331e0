package load

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
)

// Most of what parsing a reply costs is two searches: for the end of each line, and for the end of each field's name. Both
// look at eight octets at once, as one number, and fall back to one by one where anything unusual turns up.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// lineEnd finds the first LF, or gives -1; clean says that no NUL stands before it, and no CR but one directly before.
func lineEnd(b []byte) (at int, clean bool) {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		// LF, CR and NUL are below 14, and little else is. The lowest high bit marks the first such octet; those above it
		// may be marked by its borrow.
		if low := (x - 14*ones) &^ x & highs; low != 0 {
			i += bits.TrailingZeros64(low) / 8
			break
		}
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c >= 14:
		case c == '\n':
			return i, true
		case c == '\r' && i+1 < len(b) && b[i+1] == '\n':
			return i + 1, true
		default:
			return bytes.IndexByte(b, '\n'), false
		}
	}
	return -1, false
}

// tchar are the octets of header names: RFC 9110, 5.6.2.
var tchar = func() (t [256]bool) {
	for c := range 128 {
		t[c] = c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return t
}()

// nameEnd is how many octets s begins with that may be in a header's name.
func nameEnd(s []byte) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		x := binary.LittleEndian.Uint64(s[i:])
		m := x &^ highs // so that no sum carries into the next octet
		letters := (m + (0x80-'a')*ones) &^ (m + (0x7f-'z')*ones)
		dashes := ^((m ^ '-'*ones) + 0x7f*ones)
		if usual := (letters | dashes) &^ x & highs; usual != highs {
			i += bits.TrailingZeros64(^usual&highs) / 8
			break
		}
	}
	for i < len(s) && tchar[s[i]] {
		i++
	}
	return i
}

// equalFold compares a name with a lower-case one. Most far sides send names in lower case.
func equalFold(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	if string(name) == lower {
		return true
	}
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
