package load

import (
	"bytes"

	"github.com/mesh-split/mesh-split/verify/attribute"
)

// field is a header whose value matters until the end of the head.
type field uint8

// The headers.
const (
	labelField field = iota
	lengthField
	codingField
	connectionField
	serverField
	values // how many
	otherField
)

// statusLine reads `HTTP/1.` DIGIT SP 3DIGIT, then the end or SP and any text. A single SP, and a missing one behind the
// code, are choices where RFC 9112, 4 leaves room.
func (p *Parser) statusLine(s []byte) {
	const code = len(protocol) + 2
	if len(s) < code+3 || !isDigit(s[code-2]) || s[code-1] != ' ' ||
		!isDigit(s[code]) || !isDigit(s[code+1]) || !isDigit(s[code+2]) || len(s) > code+3 && s[code+3] != ' ' {
		p.fail(Malformed, "the status line")
		return
	}
	p.minor = int(s[code-2] - '0')
	p.status = int(s[code]-'0')*100 + int(s[code+1]-'0')*10 + int(s[code+2]-'0')
	copy(p.digits[:], s[code:])
	p.phase = inFields
	if p.status/100 != 1 {
		return
	}
	if p.status == 101 {
		p.fail(Malformed, "status 101 was not asked for") // RFC 9110, 7.8
	} else if p.interims++; p.interims > maxInterim {
		p.fail(Limit, "too many interim replies")
	}
}

// fieldLine reads one line of a head: a field, a fold of the field before, or the end.
func (p *Parser) fieldLine(s []byte) {
	if len(s) == 0 {
		p.endOfHead()
		return
	}
	if s[0] == ' ' || s[0] == '\t' {
		p.fold(s)
		return
	}
	name, value, ok := p.splitField(s)
	if !ok || p.status/100 == 1 {
		return // broken, or of an interim reply, where fields mean nothing
	}
	p.folding = 0
	if equalFold(name, p.labelHeader) {
		p.keep(labelField, value)
	}
	if equalFold(name, p.marks.Upstream) {
		p.upstream = true
	}
	switch len(name) { // far cheaper than seven comparisons
	case 6:
		if equalFold(name, "server") {
			p.keep(serverField, value)
		}
	case 10:
		if equalFold(name, "connection") {
			p.keep(connectionField, value)
		}
	case 14:
		if equalFold(name, "content-length") {
			p.keep(lengthField, value)
		}
	case 16:
		p.encoded = p.encoded || equalFold(name, "content-encoding")
	case 17:
		if equalFold(name, "transfer-encoding") {
			p.keep(codingField, value)
		}
	case 18:
		p.overloaded = p.overloaded || equalFold(name, "x-envoy-overloaded")
	case 19:
		p.overloaded = p.overloaded || equalFold(name, "x-envoy-ratelimited")
	}
}

// splitField reads `1*tchar ":" OWS value OWS`, else breaks the reply. Space before the colon is a fault too: RFC 9112,
// 5.1 binds only servers there, but a client that guesses is how messages get smuggled.
func (p *Parser) splitField(s []byte) (name, value []byte, ok bool) {
	if p.fields++; p.fields > maxFields {
		p.fail(Limit, "too many fields")
		return nil, nil, false
	}
	colon := nameEnd(s)
	if colon == 0 || colon == len(s) || s[colon] != ':' {
		why := "a field name"
		if bytes.IndexByte(s, ':') <= 0 {
			why = "a line of the head is not a field"
		}
		p.fail(Malformed, why)
		return nil, nil, false
	}
	return s[:colon], trimSpace(s[colon+1:]), true
}

// keep adds a line to a field's list.
func (p *Parser) keep(f field, value []byte) {
	if p.have[f] {
		p.values[f] = append(p.values[f], ',')
	}
	p.values[f] = append(p.values[f], value...)
	p.have[f] = true
	p.folding |= 1 << f
}

// fold joins a line that begins with white space to the field before, with one space: RFC 9112, 5.2 asks that of a user
// agent. Directly behind the status line there is nothing to join it to.
func (p *Parser) fold(s []byte) {
	if p.fields == 0 {
		p.fail(Malformed, "white space behind the status line")
		return
	}
	for f := range values {
		if p.folding&(1<<f) != 0 {
			p.values[f] = append(append(p.values[f], ' '), trimSpace(s)...)
		}
	}
}

// endOfHead decides what follows: another head, a body, or nothing (RFC 9112, 6.3).
func (p *Parser) endOfHead() {
	if p.status/100 == 1 {
		p.phase = beforeStatus
		p.beginHead()
		return
	}
	if !p.frame() {
		return
	}
	p.accept()
	if p.phase == complete {
		p.finish()
	}
}

// accept makes a final head the reply's: its status and its label stand from here on.
func (p *Parser) accept() {
	p.accepted = true
	switch {
	case p.rule.Kind() == attribute.Status:
		p.label, p.found = p.digits[:], attribute.Usable
	case p.body != nil:
		if p.encoded {
			p.found = attribute.Bad
		}
	default:
		p.label, p.found = attribute.FromList(p.values[labelField])
	}
}

// fromGateway says whether the gateway made the reply itself.
func (p *Parser) fromGateway() bool {
	if p.upstream {
		return false
	}
	for _, s := range p.marks.Servers {
		if string(p.values[serverField]) == s {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// trimSpace cuts spaces and tabs at both ends.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
