package load

import "github.com/mesh-split/mesh-split/verify/attribute"

// Status is the status code of an accepted final head, else 0.
func (p *Parser) Status() int {
	if !p.accepted {
		return 0
	}
	return p.status
}

// Label is the version the reply names, or nil. It is valid until the next Begin.
func (p *Parser) Label() []byte {
	if p.found != attribute.Usable {
		return nil
	}
	return p.label
}

// BodyOctets counts the body after chunk decoding.
func (p *Parser) BodyOctets() uint64 { return p.octets }

// Reusable says whether the connection may carry another request once the reply is complete.
func (p *Parser) Reusable() bool { return p.phase == complete && p.reusable }

// Overloaded says that the far side asks for less: 429, or Envoy's marks for shed or limited requests.
func (p *Parser) Overloaded() bool { return p.accepted && (p.status == 429 || p.overloaded) }

// Both says that Transfer-Encoding and Content-Length came together: harmless to us, a smuggler's tool elsewhere.
func (p *Parser) Both() bool { return p.teCL }

// Why says what was wrong with a broken reply, in words for people, or is empty.
func (p *Parser) Why() string { return p.why }

// End says how the reading of a reply ended.
type End uint8

// The ends.
const (
	Done     End = iota // Feed said so
	Closed              // a clean end of the stream: FIN, or close_notify under TLS
	Cut                 // RST, or TLS without close_notify
	Deadline            // the reply's time is over
	GivenUp             // the drain's time is over
)

// Outcome is how the request ended; reused says that its connection had carried a reply before.
func (p *Parser) Outcome(end End, reused bool) Outcome {
	if end == Closed && p.phase == toClose {
		p.finish()
	}
	switch {
	case p.phase == broken:
		return p.fault
	case p.phase == complete:
		switch p.found {
		case attribute.Usable:
			return Answered
		case attribute.Bad:
			return BadLabel
		}
		if p.fromGateway() {
			return Gateway
		}
		return NoLabel
	case end == Deadline:
		return Timeout
	case end == GivenUp:
		return Aborted
	case p.started:
		return Truncated
	case reused:
		return ResetReused
	}
	return Reset
}
