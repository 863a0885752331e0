package load

import (
	"bytes"
	"context"
	"crypto/tls"
	"math"
	"net"
	"time"

	"github.com/mesh-split/mesh-split/verify/attribute"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Plan is one load: what is sent, where, how fast, how much. An engine does not change it.
type Plan struct {
	Request   []byte      // one whole request, head and body; see [BuildRequest]
	Slots     []Slot      // places of Request that differ from request to request
	Head      bool        // the method is HEAD, so replies have no body
	Addresses []string    // host:port; connections go round robin over everything they resolve to
	TLS       *tls.Config // nil: plain TCP. ServerName, if empty, is the host of the address

	Connections int           // at once; 0: 16
	Streams     int           // of HTTP/2: requests at once on each connection, if the far side allows them; 0: 1
	GRPC        bool          // judge replies by their grpc-status: anything but 0 is a failure of the version
	Rate        float64       // requests/s over all connections; 0: closed loop, the next request when the reply is in
	Ramp        time.Duration // rise linearly to Rate over so long
	MaxRequests uint64        // everything sent; 0: no cap but the context

	ReplyTimeout time.Duration // first octet sent to reply complete; 0: 5 s
	DialTimeout  time.Duration // connect, and again so much for the handshake; 0: 5 s
	Drain        time.Duration // await replies so long after the stop; 0: ReplyTimeout
	ConnRequests int           // reconnect after so many replies; 0: never

	// Renew makes the request anew, with a fresh credential: it is called when a reply says 401, by one goroutine at a time
	// and at most once a second. An error leaves the old request in place. nil: never.
	Renew func(context.Context) ([]byte, []Slot, error)

	ProxyProtocol int  // 1 or 2: say who connects at the beginning of each connection, in that version; 0: nothing
	Peek          bool // look for octets nobody asked for before each request, at the price of a system call

	Identify   attribute.Rule  // where a reply names its version
	Marks      Marks           // what a gateway's own replies look like
	SlowerThan time.Duration   // count replies whose service time is above; 0: none
	Abort      <-chan struct{} // closed: give up what is in flight; nil: never

	Lead   time.Duration // between the opening of the connections and the first request
	Linger time.Duration // how long a connection is still read after the last request, to see late octets
}

// Marks tell a reply the gateway made itself from one it passed on. The zero Marks are those of Envoy and Istio.
type Marks struct {
	Servers  []string // values of the Server header; nil: envoy, istio-envoy
	Upstream string   // the header that only a passed-on reply has; empty: x-envoy-upstream-service-time
}

// Engine sends a load. Run returns when everything sent has its outcome; a done ctx means: send nothing more and await
// the replies. An error means that the load could not be sent at all. Run is called once per Recorder.
type Engine interface {
	Name() string
	Run(ctx context.Context, p *Plan, r *Recorder) error
}

// Defaults of a Plan, chosen to be kind to a gateway that carries real users.
const (
	DefaultConnections = 16
	DefaultTimeout     = 5 * time.Second
)

// maxStreams is how many requests at once a connection of HTTP/2 may carry: more than servers allow.
const maxStreams = 1000

// withDefaults fills the silent fields.
func (p Plan) withDefaults() Plan {
	fill := func(have *time.Duration, want time.Duration) {
		if *have == 0 {
			*have = want
		}
	}
	if p.Connections == 0 {
		p.Connections = DefaultConnections
	}
	if p.Streams == 0 {
		p.Streams = 1
	}
	if p.MaxRequests == 0 {
		p.MaxRequests = math.MaxInt64
	}
	fill(&p.ReplyTimeout, DefaultTimeout)
	fill(&p.DialTimeout, DefaultTimeout)
	fill(&p.Drain, p.ReplyTimeout)
	if p.Marks.Servers == nil {
		p.Marks.Servers = []string{"envoy", "istio-envoy"}
	}
	if p.Marks.Upstream == "" {
		p.Marks.Upstream = "x-envoy-upstream-service-time"
	}
	return p
}

// validate says the first fault of a plan, as a usage error.
func (p *Plan) validate() error {
	switch {
	case headEnd(p.Request) < 0:
		return fault.Usagef("build it with BuildRequest", "the request has no complete head")
	case len(p.Addresses) == 0:
		return fault.Usagef("give a URL", "no address to connect to")
	case p.Connections < 0 || p.Connections > math.MaxUint16:
		return fault.Usagef("the usual value is --connections 16", "%d connections; 1 to 65535 are allowed", p.Connections)
	case p.Streams < 0 || p.Streams > maxStreams:
		return fault.Usagef("the usual value is --streams 10", "%d streams on a connection; 1 to %d are allowed", p.Streams, maxStreams)
	case p.Rate < 0 || math.IsNaN(p.Rate) || math.IsInf(p.Rate, 0):
		return fault.Usagef("the usual value is --rate 250", "rate %v is not a number of requests per second", p.Rate)
	case p.Peek && !peekWorks:
		return fault.Usagef("leave it out", "--peek does not work on this system: a socket cannot be looked into without waiting")
	case p.Head && p.Identify.NeedsBody():
		return fault.Usagef("name the version by a header, or send GET", "a reply to HEAD has no body for --identify %s", p.Identify)
	}
	for _, a := range p.Addresses {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fault.Usagef("write HOST:PORT", "address %q: %w", a, err)
		}
	}
	return nil
}

// headEnd is the length of the head of a request, its empty line included, or -1.
func headEnd(request []byte) int {
	i := bytes.Index(request, []byte("\r\n\r\n"))
	if i < 0 {
		return -1
	}
	return i + 4
}
