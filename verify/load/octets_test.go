package load

import (
	"bytes"
	"testing"
)

// plainLineEnd and plainNameEnd say the same one octet at a time.
func plainLineEnd(b []byte) (int, bool) {
	end := bytes.IndexByte(b, '\n')
	if end < 0 {
		return -1, false
	}
	text := bytes.TrimSuffix(b[:end], []byte{'\r'})
	return end, bytes.IndexByte(text, '\r') < 0 && bytes.IndexByte(text, 0) < 0
}

func plainNameEnd(s []byte) int {
	for i, c := range s {
		if !tchar[c] {
			return i
		}
	}
	return len(s)
}

func checkOctets(t *testing.T, b []byte) {
	t.Helper()
	end, clean := lineEnd(b)
	wantEnd, wantClean := plainLineEnd(b)
	// Other control octets may end the fast search without being a fault; the caller then looks again.
	if end != wantEnd || clean && !wantClean {
		t.Errorf("%q: line ends at %d, clean %t; want %d, %t", b, end, clean, wantEnd, wantClean)
	}
	if got, want := nameEnd(b), plainNameEnd(b); got != want {
		t.Errorf("%q: name ends at %d, want %d", b, got, want)
	}
}

// Every octet at every place of a line, so that each lane of the eight is tried with each value and beside each neighbour.
func TestOctets(t *testing.T) {
	for _, line := range []string{"x-app-version: v2\r\nserver: envoy\r\n", "\xff\x80content-type\x7f: a\tb\r\n", "-------------------------:"} {
		for at := range line {
			for c := range 256 {
				b := []byte(line)
				b[at] = byte(c)
				for from := range 9 {
					checkOctets(t, b[from:])
				}
			}
		}
	}
	if end, clean := lineEnd([]byte("content-length: 12\r\n")); end != 19 || !clean {
		t.Errorf("an ordinary line ends at %d, clean %t", end, clean)
	}
}

func FuzzOctets(f *testing.F) {
	f.Add([]byte(typicalReply))
	f.Fuzz(func(t *testing.T, b []byte) { checkOctets(t, b) })
}
