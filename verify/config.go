package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/attribute"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/safe"
)

// Report is what Run gives.
type Report = report.Verification

// What a Config means where it is silent. Gateways carry real users, so the load is a guest: design and reasons in
// docs/load.md.
const (
	DefaultConfidence   = 0.95
	DefaultConnections  = 16
	DefaultRate         = Rate(250)
	DefaultMaxRequests  = 15_000
	DefaultMaxTime      = 60 * time.Second
	DefaultReplyTimeout = 5 * time.Second
	DefaultDialTimeout  = 2 * time.Second
)

// Rate is a number of requests per second over all connections together.
type Rate float64

// Unpaced sends each connection's next request as soon as its reply is in.
const Unpaced Rate = math.MaxFloat64

// ParseRate reads a number above 0, or "max" for [Unpaced].
func ParseRate(text string) (Rate, error) {
	if text == "max" {
		return Unpaced, nil
	}
	r, err := strconv.ParseFloat(text, 64)
	if err != nil || !(r > 0) || r > 1e7 {
		return 0, fault.Usagef("write requests per second, such as --rate 250, or --rate max", "rate %q is not a number from above 0 to 10000000", text)
	}
	return Rate(r), nil
}

func (r Rate) String() string {
	if r == Unpaced {
		return "max"
	}
	return strconv.FormatFloat(float64(r), 'f', -1, 64)
}

// Set and Type make *Rate a flag value.
func (r *Rate) Set(text string) error {
	parsed, err := ParseRate(text)
	if err == nil {
		*r = parsed
	}
	return err
}

// Type names the value in help texts.
func (r *Rate) Type() string { return "N|max" }

// Config is one question. Two equal Configs ask the same; the zero value of every field but URL and Target is a safe
// default.
type Config struct {
	Target       Split         // required, unless LoadOnly
	Tolerance    Tolerance     // zero: by the rule of docs/method.md, 2 points for a 70/30 split
	Confidence   float64       // 1 - alpha, in (0.5, 1); zero: DefaultConfidence
	IgnoreErrors bool          // judge the split alone; by default a version that fails is a FAIL however right its share
	MaxErrorRate float64       // in (0, 1): also certify that each version fails less often; zero: only guard against 5 %
	SlowerThan   time.Duration // judge latency too: a version whose requests take longer more often than the others' fails
	Raised       []string      // versions whose share a change has just raised; only they can be blamed for failing more; nil: all
	LoadOnly     bool          // send and count, judge nothing
	Watch        time.Duration // keep checking for so long after a PASS, ended by a FAIL; the cap on requests is lifted then
	Change       *Change       // an edit to make while the load runs; nil: the split is as it should be already

	URL       string   // http or https; its path and query are requested, its host is where to connect
	Host      string   // Host header, and the name a certificate must show; empty: that of the URL
	Addresses []string // host:port to connect to, instead of the URL's host
	Method    string   // empty: GET
	Header    []string // "Name: value", in order; they replace the headers that say who we are
	Body      []byte   // sent with every request
	Vary      []string // places that differ from request to request: "header:NAME=TEMPLATE", "query:NAME=TEMPLATE", "body"; see docs/load.md

	// RenewHeader gives Header anew when a reply says 401: credentials run out. It is called at most once a second; nil: never.
	RenewHeader func(context.Context) ([]string, error)

	TLS      *tls.Config // for https; nil: verify by the system's authorities
	Identify attribute.Rule

	Connections   int
	Rate          Rate
	Ramp          time.Duration // rise to Rate over so long
	MaxRequests   uint64        // everything sent, settling included
	MaxTime       time.Duration // of evidence
	Settle        time.Duration // let a change settle, sending, before the evidence begins
	ReplyTimeout  time.Duration
	DialTimeout   time.Duration
	ProxyProtocol int           // 1 or 2: begin each connection with that version's header; 0: do not
	Peek          bool          // look for octets nobody asked for before each request
	Drain         time.Duration // wait for replies after the last request; zero: ReplyTimeout
	ConnRequests  int           // reconnect after so many replies; zero: never
	HTTP          Protocol      // version of HTTP; zero: 1.1
	Streams       int           // of HTTP/2: requests at once on each connection; zero: 1
	GRPC          bool          // judge replies by their grpc-status; Method, Header and Body are a call's, HTTP must be HTTP2
	Engine        load.Engine   // nil: the fastest that fits

	RunID    string                  // sent in header x-mesh-split-run; empty: drawn at random
	Announce func(report.Load, Plan) // called once, before the first connection: where the load goes and how much; which engine sends it is not known yet
	Progress func(Progress)          // called about ten times a second, from one goroutine; it must return soon
	Abort    <-chan struct{}         // closed: give up even what is in flight
}

// Progress is a moment of a run.
type Progress struct {
	Elapsed  time.Duration // since the evidence began; negative while settling
	Sent     uint64        // requests so far, all of them
	Evidence uint64        // requests the verdict can rest on so far
	Versions []string
	Shares   []float64 // of the evidence, by version
	Errors   uint64
	Draining bool
}

// Tolerance is how far a share may lie from its target: one distance for all versions, or some of their own. Its text
// form is "2%" or "0.02" or "v1=2%,v2=1%". The zero Tolerance asks for the default rule.
type Tolerance struct {
	all   float64
	named map[string]float64
}

// ParseTolerance reads the text form. Each distance lies above 0 and below 1.
func ParseTolerance(text string) (Tolerance, error) {
	const hint = "write points as --tolerance 2% or 0.02, or per version as --tolerance v1=2%,v2=1%"
	var t Tolerance
	for _, term := range strings.Split(text, ",") {
		name, value, named := strings.Cut(strings.TrimSpace(term), "=")
		if !named {
			value = name
		}
		number, percent := strings.CutSuffix(strings.TrimSpace(value), "%")
		d, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if percent {
			d /= 100
		}
		if err != nil || !(d > 0 && d < 1) {
			return Tolerance{}, fault.Usagef(hint, "tolerance %q is not above 0 and below 1 (0 %% and 100 %%)", term)
		}
		switch {
		case !named && t.all == 0:
			t.all = d
		case named && t.named[name] == 0:
			if t.named == nil {
				t.named = map[string]float64{}
			}
			t.named[name] = d
		default:
			return Tolerance{}, fault.Usagef(hint, "tolerance %q says the same twice", text)
		}
	}
	return t, nil
}

// of gives the distances by version, 0 where the default rule holds.
func (t Tolerance) of(s Split) ([]float64, error) {
	d := make([]float64, s.Len())
	for i := range d {
		d[i] = t.all
	}
	for name, value := range t.named {
		i := s.Index(name)
		if i < 0 {
			return nil, fault.Usagef("versions here: "+strings.Join(s.Names(), ", "), "tolerance names %q, which the target does not", name)
		}
		d[i] = value
	}
	return d, nil
}

// withDefaults fills the silent fields.
func (c Config) withDefaults() Config {
	fill := func(have *time.Duration, want time.Duration) {
		if *have == 0 {
			*have = want
		}
	}
	if c.Confidence == 0 {
		c.Confidence = DefaultConfidence
	}
	if c.Connections == 0 {
		c.Connections = DefaultConnections
	}
	if c.Rate == 0 {
		c.Rate = DefaultRate
	}
	if c.MaxRequests == 0 {
		c.MaxRequests = DefaultMaxRequests
	}
	if c.Method == "" {
		c.Method = "GET"
	}
	fill(&c.MaxTime, DefaultMaxTime)
	fill(&c.ReplyTimeout, DefaultReplyTimeout)
	fill(&c.DialTimeout, DefaultDialTimeout)
	fill(&c.Drain, c.ReplyTimeout)
	return c
}

// Validate says every fault of the Config at once, each as a usage error. It does no I/O.
func (c Config) Validate() error {
	c = c.withDefaults()
	var faults []error
	bad := func(hint, format string, args ...any) { faults = append(faults, fault.Usagef(hint, format, args...)) }
	if u, err := url.Parse(c.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		bad("write it as http://HOST:PORT/PATH", "url: %s is not an http or https address", safe.URL(c.URL))
	} else if u.User != nil {
		bad("give the credential with --header-from-env or --header-from-cmd", "the URL holds a user or a password, which everyone can see")
	}
	c.portFaults(bad)
	if c.MaxRequests > math.MaxInt64 {
		bad("the default is --max-requests 15000", "%d requests are more than can be counted", c.MaxRequests)
	}
	if c.ProxyProtocol < 0 || c.ProxyProtocol > 2 {
		bad("write --proxy-protocol 1 or 2", "version %d of the proxy protocol is not known", c.ProxyProtocol)
	}
	if !c.LoadOnly && c.Target.Len() == 0 {
		bad("write --expect v1=70,v2=30", "no target split")
	}
	if !(c.Confidence > 0.5 && c.Confidence < 1) {
		bad("the usual value is --confidence 0.95", "confidence %v is not above 0.5 and below 1", c.Confidence)
	}
	if c.MaxErrorRate < 0 || c.MaxErrorRate >= 1 {
		bad("write it as --max-error-rate 1%", "maximal error rate %v is not above 0 and below 1", c.MaxErrorRate)
	}
	if c.Connections < 1 || c.Connections > 65_000 {
		bad("the default is --connections 16", "%d connections; 1 to 65000 are allowed", c.Connections)
	}
	if !(c.Rate > 0) {
		bad("the default is --rate 250", "rate %v is not above 0", float64(c.Rate))
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"--max-time", c.MaxTime}, {"--reply-timeout", c.ReplyTimeout}, {"--connect-timeout", c.DialTimeout}, {"--drain", c.Drain}, {"--settle", c.Settle}, {"--ramp", c.Ramp}, {"--for", c.Watch}, {"--slower-than", c.SlowerThan}} {
		if d.value < 0 {
			bad("write a duration such as 30s", "%s is negative", d.flag)
		}
	}
	if c.Ramp > 0 && c.Rate == Unpaced {
		bad("give the rate to rise to, such as --rate 250", "--ramp needs a rate: there is nothing to rise to with --rate max")
	}
	c.protocolFaults(bad)
	if c.ConnRequests < 0 {
		bad("0 never reconnects", "--conn-requests is negative")
	}
	if !c.LoadOnly {
		if _, err := c.Tolerance.of(c.Target); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// portFaults are the ports that no connection can go to.
func (c Config) portFaults(bad func(hint, format string, args ...any)) {
	ports := map[string]string{}
	if u, err := url.Parse(c.URL); err == nil && u.Port() != "" {
		ports[u.Port()] = "the URL"
	}
	for _, a := range c.Addresses {
		if _, port, err := net.SplitHostPort(a); err == nil {
			ports[port] = "address " + a
		}
	}
	for port, where := range ports {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 || err != nil && !numeric(port) {
			continue // a name of a service is the resolver's
		}
		bad("ports are 1 to 65535", "port %s of %s does not exist", port, where)
	}
}

func numeric(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// target is where connections go: host:port of the URL, and whether by TLS.
func (c Config) target() (u *url.URL, hostport string, secure bool) {
	u, err := url.Parse(c.URL)
	if err != nil {
		panic("verify: target of an invalid Config: " + err.Error())
	}
	port := u.Port()
	secure = u.Scheme == "https"
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[secure]
	}
	return u, net.JoinHostPort(u.Hostname(), port), secure
}
