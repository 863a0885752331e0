package load

import (
	"bytes"
	"math"
)

// chunkLine reads a chunk-size line: 1*HEXDIG, then optional white space, or ";" and an extension, which is ignored
// (RFC 9112, 7.1.1). Unlike in heads only CRLF ends it; size is its length with the line end.
func (p *Parser) chunkLine(s []byte, bare bool, size int) {
	digits := 0
	var n uint64
	big := false
	for digits < len(s) {
		d, ok := hexDigit(s[digits])
		if !ok {
			break
		}
		big = big || n > math.MaxInt64>>4
		n = n<<4 | uint64(d)
		digits++
	}
	rest := s[digits:]
	extension := trimSpace(rest)
	switch {
	case bare || bytes.IndexByte(s, '\r') >= 0:
		p.fail(Malformed, "a chunk-size line does not end in CRLF")
		return
	case digits == 0 || len(extension) > 0 && extension[0] != ';':
		p.fail(Malformed, "a chunk size is not hexadecimal")
		return
	case big:
		p.fail(Limit, "a chunk size is above 2^63-1")
		return
	}
	if len(extension) > 0 {
		if p.extended += size - digits; p.extended > maxExtensions {
			p.fail(Limit, "too many chunk extensions")
			return
		}
	}
	if n == 0 {
		p.phase, p.headSize, p.fields, p.folding = inTrailer, 0, 0, 0
		return
	}
	p.left, p.phase = n, inData
}

// dataEnd reads the CRLF behind chunk data.
func (p *Parser) dataEnd(b []byte) (int, bool) {
	if len(b) == 0 {
		return 0, true
	}
	want, next := byte('\r'), afterLF
	if p.phase == afterLF {
		want, next = '\n', inChunk
	}
	if b[0] != want {
		p.fail(Malformed, "chunk data does not end in CRLF")
		return 0, false
	}
	p.phase = next
	return 1, false
}

// trailerLine reads one line behind the last chunk. Trailers are checked and dropped: never a label, never framing.
func (p *Parser) trailerLine(s []byte, bare bool) {
	switch {
	case bare:
		p.fail(Malformed, "a trailer line does not end in CRLF")
	case len(s) == 0:
		p.finish()
	case s[0] == ' ' || s[0] == '\t':
		p.fold(s)
	default:
		_, _, _ = p.splitField(s)
	}
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
