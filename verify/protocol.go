package verify

import (
	"context"
	"strings"

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
	if c.Streams > 1 && c.HTTP != HTTP2 {
		bad("write --http 2", "several requests at once on a connection (--streams %d) exist in HTTP/2 only", c.Streams)
	}
	if c.GRPC && c.HTTP != HTTP2 {
		bad("write --http 2", "gRPC needs HTTP/2")
	}
	if c.Peek && c.HTTP != HTTP11 {
		bad("leave it out, or write --http 1.1", "--peek is for HTTP/1.1: frames of HTTP/2 say whose they are")
	}
	if c.Engine == nil {
		return
	}
	two := c.Engine.Name() == load.HTTP2().Name()
	switch {
	case c.HTTP == HTTPAuto && (two || strings.HasPrefix(c.URL, "https:")):
		bad("leave out one of them", "--http auto lets the far side choose, and engine %s leaves no choice", c.Engine.Name())
	case two && c.HTTP == HTTP11:
		bad("write --http 2", "engine %s speaks HTTP/2 only", c.Engine.Name())
	case !two && c.HTTP == HTTP2:
		bad("leave --engine out, or write --engine h2", "engine %s speaks HTTP/1.1 only", c.Engine.Name())
	}
}

// speak chooses the engine and the protocol that it speaks, says in the plan which is offered, and in the load which it is.
// Only HTTPAuto under TLS has to ask the far side, so that this is called once the load was announced.
func (w *where) speak(ctx context.Context, c *Config, p *load.Plan) error {
	two := c.HTTP == HTTP2
	if c.HTTP == HTTPAuto && p.TLS != nil {
		chosen, err := negotiate(ctx, p)
		if err != nil {
			return err
		}
		two = chosen == "h2"
	}
	w.engine, w.Protocol = c.Engine, "HTTP/1.1"
	offer := "http/1.1"
	switch {
	case two:
		w.engine, w.Protocol, offer = load.HTTP2(), "HTTP/2", "h2"
	case w.engine == nil:
		w.engine = load.Auto(p)
	}
	if p.TLS != nil {
		p.TLS.NextProtos = []string{offer}
	}
	w.Engine = w.engine.Name()
	return nil
}

// negotiate asks what the far side prefers: the first address that answers.
func negotiate(ctx context.Context, p *load.Plan) (string, error) {
	var errs []string
	for _, address := range p.Addresses {
		chosen, err := load.Negotiate(ctx, p, address, "h2", "http/1.1")
		if err == nil {
			return chosen, nil
		}
		if ctx.Err() != nil {
			return "", unsent(context.Canceled)
		}
		errs = append(errs, err.Error())
	}
	return "", fault.New(fault.Failed, load.Remedy(load.TLSError, errs[0]),
		"asking which version of HTTP the far side chooses: %s", strings.Join(errs, "; "))
}
