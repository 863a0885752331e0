package verify

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
)

// Protocol is the version of HTTP that requests are sent in.
type Protocol uint8

// The protocols. HTTPAuto offers both by ALPN and takes what the far side chooses; plain TCP, where nobody is asked, stays
// HTTP/1.1.
const (
	HTTP11 Protocol = iota
	HTTP2           // over TLS, or with prior knowledge over plain TCP
	HTTPAuto
)

var protocols = map[string]Protocol{"1.1": HTTP11, "2": HTTP2, "auto": HTTPAuto}

// Set reads 1.1, 2 or auto; with String and Type it makes *Protocol a flag value.
func (p *Protocol) Set(text string) error {
	read, ok := protocols[text]
	if !ok {
		return fault.Usagef("write --http 1.1, --http 2 or --http auto", "HTTP version %q is not known", text)
	}
	*p = read
	return nil
}

func (p *Protocol) String() string {
	for text, q := range protocols {
		if q == *p {
			return text
		}
	}
	return ""
}

// Type names the value in help texts.
func (p *Protocol) Type() string { return "1.1|2|auto" }

// protocolFaults are the pairs that cannot be: never a silent fallback.
func (c *Config) protocolFaults(bad func(hint, format string, args ...any)) {
	if c.Streams < 0 || c.Streams > 1000 {
		bad("the usual value is --streams 10", "%d streams on a connection; 1 to 1000 are allowed", c.Streams)
	}
	if c.Streams > 1 && c.HTTP == HTTP11 {
		bad("add --http 2", "several requests at once on a connection (--streams %d) exist in HTTP/2 only", c.Streams)
	}
	if c.GRPC && c.HTTP != HTTP2 {
		bad("add --http 2", "gRPC needs HTTP/2")
	}
	if c.Engine != nil {
		two := c.Engine.Name() == load.HTTP2().Name()
		switch {
		case two && c.HTTP == HTTP11:
			bad("add --http 2", "engine %s speaks HTTP/2 only", c.Engine.Name())
		case !two && c.HTTP == HTTP2:
			bad("leave --engine out, or write --engine h2", "engine %s speaks HTTP/1.1 only", c.Engine.Name())
		}
	}
}

// speak chooses the engine, and the protocol that it speaks, and says in the plan which is offered. Only HTTPAuto under TLS
// has to ask the far side.
func (c *Config) speak(ctx context.Context, p *load.Plan) (load.Engine, string) {
	two := c.HTTP == HTTP2 || c.HTTP == HTTPAuto && p.TLS != nil && c.chooses2(ctx, p)
	if p.TLS != nil {
		p.TLS.NextProtos = []string{"http/1.1"}
	}
	if !two {
		p.Streams = 1
		if c.Engine != nil && c.Engine.Name() != load.HTTP2().Name() {
			return c.Engine, "HTTP/1.1"
		}
		return load.Auto(p), "HTTP/1.1"
	}
	if p.TLS != nil {
		p.TLS.NextProtos = []string{"h2"}
	}
	return load.HTTP2(), "HTTP/2"
}

// chooses2 asks one address what it prefers. Whoever does not answer is taken for HTTP/1.1; the load will say why.
func (c *Config) chooses2(ctx context.Context, p *load.Plan) bool {
	if c.Engine != nil {
		return c.Engine.Name() == load.HTTP2().Name()
	}
	ctx, cancel := context.WithTimeout(ctx, c.DialTimeout)
	defer cancel()
	settings := p.TLS.Clone()
	settings.NextProtos = []string{"h2", "http/1.1"}
	dialer := tls.Dialer{NetDialer: &net.Dialer{}, Config: settings}
	conn, err := dialer.DialContext(ctx, "tcp", p.Addresses[0])
	if err != nil {
		return false
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().NegotiatedProtocol == "h2"
}
