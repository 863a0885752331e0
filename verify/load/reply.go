package load

import (
	"bytes"

	"github.com/mesh-split/mesh-split/verify/attribute"
)

// Limits of a reply, in octets with line ends, or in pieces. Choices: Envoy's default for a whole head is 60 KiB.
const (
	maxHead       = 65536
	maxLine       = 16384
	maxFields     = 256
	maxInterim    = 16
	maxBlank      = 8
	maxChunkLine  = 4096
	maxExtensions = 65536
)

// phase is where in a reply the parser stands.
type phase uint8

const (
	beforeStatus phase = iota // line ends may come, then a status line
	inStatus                  // a status line has begun
	inFields
	inBody    // a body of known length
	inChunk   // before or in a chunk-size line
	inData    // chunk data
	afterCR   // chunk data is over: CR must follow
	afterLF   // and LF
	inTrailer // trailer lines
	toClose   // a body that ends with the connection
	complete
	broken // by a fault
)

// Parser reads HTTP/1.1 replies (RFC 9112) from octets cut anywhere: the same octets give the same result however they
// arrive. It does no I/O and, once warm, allocates nothing. One Parser belongs to one connection.
//
// The caller calls Begin when a request is about to leave, Feed with what was read until done, or End when nothing more
// comes; then the results stand until the next Begin. While no request is outstanding, octets go to Idle.
type Parser struct {
	rule        attribute.Rule
	labelHeader string // the header that names the version, in lower case
	marks       Marks
	body        *attribute.Body // nil unless the rule looks into the body

	// Of the connection, between replies too.
	blanks int  // octets of line ends before the status line to come
	blank  byte // '\r' when that was the last octet and its LF is missing

	// Of the reply.
	phase    phase
	fault    Outcome // Malformed or Limit once broken
	why      string  // what was wrong, for people
	head     bool    // the request was HEAD
	started  bool    // at least one octet of a status line came; interim heads count
	accepted bool    // the final head is good
	scanned  int     // octets of the unfinished line already searched for LF
	status   int
	minor    int    // HTTP/1.minor
	interims int    // 1xx heads so far
	headSize int    // octets of this head, or of the trailers
	fields   int    // field lines of this head, or of the trailers
	folding  uint8  // the kept fields, as bits, that a folded line continues
	left     uint64 // octets of the body or the chunk still to come
	extended int    // octets of chunk extensions
	octets   uint64 // of the body, after chunk decoding
	reusable bool
	teCL     bool // Transfer-Encoding and Content-Length came together

	values     [values][]byte // the head's lists, lines joined by commas
	have       [values]bool
	overloaded bool // x-envoy-overloaded or x-envoy-ratelimited
	upstream   bool // the mark of a reply that was passed on
	encoded    bool // Content-Encoding hides what the body says
	found      attribute.Found
	label      []byte
	digits     [3]byte
}

// NewParser makes a parser for one connection.
func NewParser(rule attribute.Rule, marks Marks) *Parser {
	p := &Parser{rule: rule, labelHeader: rule.Header(), marks: marks, body: rule.Body()}
	for i := range p.values {
		p.values[i] = make([]byte, 0, 64)
	}
	p.phase = complete
	return p
}

// Begin readies the parser for the reply to a request that is about to leave; head says that its method is HEAD.
func (p *Parser) Begin(head bool) {
	p.head = head
	p.phase, p.fault, p.why = beforeStatus, NoOutcome, ""
	p.started, p.accepted, p.interims = false, false, 0
	p.octets, p.extended, p.reusable, p.teCL = 0, 0, false, false
	p.found, p.label = attribute.Absent, nil
	p.status = 0
	if p.body != nil {
		p.body.Reset()
	}
	p.beginHead()
}

// beginHead forgets the fields of the head before.
func (p *Parser) beginHead() {
	p.headSize, p.fields, p.scanned, p.folding = 0, 0, 0, 0
	p.upstream, p.overloaded, p.encoded = false, false, false
	for i := range p.values {
		if p.have[i] {
			if cap(p.values[i]) > maxChunkLine {
				p.values[i] = make([]byte, 0, 64) // one monstrous head must not stay for the connection's life
			}
			p.values[i], p.have[i] = p.values[i][:0], false
		}
	}
}

// Idle takes octets that came while no request was outstanding. Line ends are discarded, a few of them; false means that
// something else came: the connection is to be closed, and nothing counted.
func (p *Parser) Idle(b []byte) bool {
	n, fault := p.skipBlanks(b)
	return !fault && n == len(b)
}

// skipBlanks discards CRLF and LF before a status line and says how many octets that were; fault means a CR alone or too
// many of them.
func (p *Parser) skipBlanks(b []byte) (n int, fault bool) {
	for n < len(b) {
		c := b[n]
		if c != '\n' && (c != '\r' || p.blank == '\r') {
			return n, p.blank == '\r'
		}
		if p.blanks++; p.blanks > maxBlank {
			return n, true
		}
		p.blank = c
		n++
	}
	return n, false
}

// Feed takes what was read, what an earlier call left over first, and says how much it consumed and whether the reply is
// over: complete, or broken by a fault. What it does not consume must come again, with more behind it. Octets behind a
// complete reply are not consumed; they are for Idle.
func (p *Parser) Feed(b []byte) (n int, done bool) {
	for p.phase < complete {
		rest := b[n:]
		var used int
		var more bool // whether the phase wants octets that are not here
		switch p.phase {
		case beforeStatus:
			used, more = p.beginStatus(rest)
		case inStatus, inFields, inTrailer, inChunk:
			used, more = p.line(rest)
		case inBody, inData:
			used = int(min(uint64(len(rest)), p.left))
			p.take(rest[:used])
			if p.left -= uint64(used); p.left > 0 {
				more = true
			} else if p.phase == inData {
				p.phase = afterCR
			} else {
				p.finish()
			}
		case afterCR, afterLF:
			used, more = p.dataEnd(rest)
		case toClose:
			used, more = len(rest), true
			p.take(rest)
		}
		n += used
		if more {
			return n, false
		}
	}
	return n, true
}

// take counts octets of the body, which are then dropped.
func (p *Parser) take(octets []byte) {
	p.octets += uint64(len(octets))
	if p.body != nil {
		p.body.Write(octets)
	}
}

// protocol is how every status line begins.
const protocol = "HTTP/1."

// beginStatus discards line ends, then looks at the first octets of a status line: anything else than HTTP is seen at
// once, without waiting for a line end that may never come.
func (p *Parser) beginStatus(b []byte) (int, bool) {
	n, fault := p.skipBlanks(b)
	if fault {
		p.fail(Malformed, "line ends before the status line")
		return n, false
	}
	rest := b[n:]
	if len(rest) == 0 {
		return n, true
	}
	p.started = true
	got := rest[:min(len(rest), len(protocol))]
	if string(got) != protocol[:len(got)] {
		p.fail(Malformed, notHTTP(got))
		return n, false
	}
	if len(got) < len(protocol) {
		return n, true
	}
	p.blanks, p.blank = 0, 0
	p.phase = inStatus
	return n, false
}

// notHTTP guesses what the far side speaks.
func notHTTP(got []byte) string {
	switch {
	case got[0] == 0x15 || got[0] == 0x16:
		return "the reply is TLS; use https"
	case bytes.HasPrefix(got, []byte{0, 0}):
		return "the reply looks like HTTP/2; this port does not speak HTTP/1.1"
	case bytes.HasPrefix(got, []byte("HTTP/2")):
		return "the reply is HTTP/2"
	}
	return "the reply is not HTTP/1"
}

// line takes one line, if it is here whole. Only whole lines are judged, so a fault does not depend on how octets arrive;
// limits are exceeded by octets, whether their line is whole or not.
func (p *Parser) line(b []byte) (int, bool) {
	limit := maxLine
	if p.phase == inChunk {
		limit = maxChunkLine
	} else {
		limit = min(limit, maxHead-p.headSize)
	}
	end, clean := 0, false
	if p.scanned == 0 {
		end, clean = lineEnd(b)
	} else {
		end = bytes.IndexByte(b[p.scanned:], '\n')
	}
	if end < 0 {
		p.scanned = len(b)
		if len(b) > limit {
			p.fail(Limit, "a line or a head is too long")
			return 0, false
		}
		return 0, true
	}
	end += p.scanned + 1
	p.scanned = 0
	if end > limit {
		p.fail(Limit, "a line or a head is too long")
		return 0, false
	}
	text := b[:end-1]
	bare := len(text) == 0 || text[len(text)-1] != '\r'
	if !bare {
		text = text[:len(text)-1]
	}
	if !clean && (bytes.IndexByte(text, '\r') >= 0 && p.phase != inChunk || bytes.IndexByte(text, 0) >= 0) {
		p.fail(Malformed, "a CR or a NUL inside a line")
		return end, false
	}
	switch p.phase {
	case inStatus:
		p.headSize += end
		p.statusLine(text)
	case inFields:
		p.headSize += end
		p.fieldLine(text)
	case inChunk:
		p.chunkLine(text, bare, end)
	case inTrailer:
		p.headSize += end
		p.trailerLine(text, bare)
	}
	return end, false
}

// fail ends the reply with a fault.
func (p *Parser) fail(o Outcome, why string) {
	p.phase, p.fault, p.why = broken, o, why
	if !p.accepted {
		p.status = 0 // the head is discarded
		p.found, p.label = attribute.Absent, nil
	}
}

// finish ends a complete reply.
func (p *Parser) finish() {
	p.phase = complete
	if p.body == nil || p.found == attribute.Bad {
		return
	}
	p.label, p.found = p.body.Label()
}
