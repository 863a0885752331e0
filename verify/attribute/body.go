package attribute

import (
	"bytes"
	"regexp"
)

// maxKept is how much of a body an expression sees, in octets.
const maxKept = 64 << 10

// Body finds the label in a body that arrives in pieces. One Body belongs to one connection; Reset readies it for the
// next reply. Use [Rule.Body] to make one.
type Body struct {
	pattern *regexp.Regexp
	prefix  []byte // the literal every match begins with: searched first, since a regexp search may allocate
	kept    []byte
	cut     bool // there was more
	json    *scanner
}

// Body gives the finder of a rule that NeedsBody, and nil for other rules.
func (r Rule) Body() *Body {
	switch r.kind {
	case Content:
		prefix, _ := r.pattern.LiteralPrefix()
		return &Body{pattern: r.pattern, prefix: []byte(prefix)}
	case JSON:
		return &Body{json: newScanner(r.tokens)}
	}
	return nil
}

// Reset forgets the reply before.
func (b *Body) Reset() {
	b.kept, b.cut = b.kept[:0], false
	if b.json != nil {
		b.json.reset()
	}
}

// Write takes the next octets of the body; it keeps no reference to them.
func (b *Body) Write(octets []byte) {
	if b.json != nil {
		b.json.write(octets)
		return
	}
	room := maxKept - len(b.kept)
	b.cut = b.cut || len(octets) > room
	b.kept = append(b.kept, octets[:min(len(octets), room)]...)
}

// Label gives the label once the body is complete. It is valid until the next Reset.
func (b *Body) Label() ([]byte, Found) {
	if b.json != nil {
		return b.json.label()
	}
	if !bytes.Contains(b.kept, b.prefix) {
		return nil, Absent
	}
	// The whole body again, not from the prefix on: "^v1" has the prefix v1, and matches at the beginning only.
	m := b.pattern.FindSubmatchIndex(b.kept)
	if m == nil {
		return nil, Absent
	}
	if b.cut && m[1] == len(b.kept) {
		return nil, Bad // more of the body might belong to the match: "v1" of "v12"
	}
	first, last := m[0], m[1]
	if len(m) > 2 {
		first, last = m[2], m[3]
	}
	if first < 0 {
		return nil, Absent // the group took no part in the match
	}
	return Check(b.kept[first:last])
}
