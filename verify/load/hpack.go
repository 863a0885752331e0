package load

import (
	"bytes"

	"golang.org/x/net/http2/hpack"
)

// Header blocks of HTTP/2 are compressed (HPACK, RFC 7541). We announce a table of size 0, so a block needs no state: every
// field is an entry of the static table or a literal, and fields nobody asks for are stepped over unread. Names are
// compared as they came: a Huffman code has one form only, so a wanted name has two, the plain and the coded one.

// static is the table of RFC 7541, Appendix A, by index, read out of the library's decoder.
var static = func() (table [62]hpack.HeaderField) {
	for i := 1; i < len(table); i++ {
		fields, err := hpack.NewDecoder(0, nil).DecodeFull([]byte{0x80 | byte(i)})
		if err != nil {
			panic("load: HPACK's static table: " + err.Error())
		}
		table[i] = fields[0]
	}
	return table
}()

// staticValues are its values as octets.
var staticValues = func() (values [len(static)][]byte) {
	for i := range values {
		values[i] = []byte(static[i].Value)
	}
	return values
}()

// hstring is a string of a block: octets, Huffman coded or not.
type hstring struct {
	octets []byte
	coded  bool
}

// text gives the octets, decoded into scratch if need be, until its next use; false means that the code is broken.
func (s hstring) text(scratch *bytes.Buffer) ([]byte, bool) {
	if !s.coded {
		return s.octets, true
	}
	scratch.Reset()
	if _, err := hpack.HuffmanDecode(scratch, s.octets); err != nil {
		return nil, false
	}
	return scratch.Bytes(), true
}

// hname is a wanted name, in both forms.
type hname struct{ plain, coded []byte }

func newName(lower string) hname {
	return hname{plain: []byte(lower), coded: hpack.AppendHuffmanString(nil, lower)}
}

func (n *hname) is(s hstring) bool {
	if s.coded {
		return bytes.Equal(s.octets, n.coded)
	}
	return bytes.Equal(s.octets, n.plain)
}

// hfield is one field of a block: index is that of its name in the static table, 0 for a literal name; whole says that the
// value is the table's too.
type hfield struct {
	index       int
	whole       bool
	name, value hstring
}

// nextField cuts the first field off a block. more is false at the block's end; ok is false if the block is broken, which
// ends the connection (RFC 9113, 4.3).
func nextField(block []byte) (f hfield, rest []byte, more, ok bool) {
	for {
		if len(block) == 0 {
			return f, nil, false, true
		}
		b := block[0]
		switch {
		case b&0x80 != 0: // indexed
			index, rest, ok := hpackInt(block, 7)
			if !ok || index == 0 || index >= uint64(len(static)) {
				return f, nil, false, false
			}
			return hfield{index: int(index), whole: true}, rest, true, true
		case b&0xe0 == 0x20: // the table's new size, which stays 0
			size, rest, ok := hpackInt(block, 5)
			if !ok || size != 0 {
				return f, nil, false, false
			}
			block = rest
			continue
		case b&0xc0 == 0x40: // a literal to be remembered, for which the table has no room
			return literal(block, 6)
		default: // a literal not to be remembered
			return literal(block, 4)
		}
	}
}

func literal(block []byte, prefix uint) (f hfield, rest []byte, more, ok bool) {
	index, rest, ok := hpackInt(block, prefix)
	if !ok || index >= uint64(len(static)) {
		return f, nil, false, false
	}
	f.index = int(index)
	if index == 0 {
		if f.name, rest, ok = hpackString(rest); !ok {
			return f, nil, false, false
		}
	}
	f.value, rest, ok = hpackString(rest)
	return f, rest, ok, ok
}

func hpackString(b []byte) (s hstring, rest []byte, ok bool) {
	if len(b) == 0 {
		return s, nil, false
	}
	coded := b[0]&0x80 != 0
	n, rest, ok := hpackInt(b, 7)
	if !ok || n > uint64(len(rest)) {
		return s, nil, false
	}
	return hstring{rest[:n], coded}, rest[n:], true
}

// hpackInt reads an integer of RFC 7541, 5.1, below 2^32.
func hpackInt(b []byte, prefix uint) (v uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	full := uint64(1)<<prefix - 1
	v = uint64(b[0]) & full
	if v < full {
		return v, b[1:], true
	}
	for i, shift := 1, uint(0); i < len(b) && shift < 32; i, shift = i+1, shift+7 {
		v += uint64(b[i]&0x7f) << shift
		if b[i]&0x80 == 0 {
			return v, b[i+1:], v < 1<<32
		}
	}
	return 0, nil, false
}

// appendInt and appendText write what the two above read, without Huffman code.
func appendInt(b []byte, prefix uint, pattern byte, v int) []byte {
	full := 1<<prefix - 1
	if v < full {
		return append(b, pattern|byte(v))
	}
	b = append(b, pattern|byte(full))
	for v -= full; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func appendText(b []byte, s string) []byte { return append(appendInt(b, 7, 0, len(s)), s...) }
