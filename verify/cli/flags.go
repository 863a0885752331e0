package cli

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/attribute"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
)

// LoadFlags are the flags that say what is sent and how it is judged, as raw text. Method Config turns them into values.
type LoadFlags struct {
	Settle time.Duration // the default of --settle when the flags are added, and then what the user chose
	In     io.Reader     // stdin, for a content or a request called "-"; nil: there is none

	tolerance, confidence, failOn, maxErrorRate, inconclusiveAs string

	rate                             string
	connections, connRequests        int
	maxRequests                      uint64
	maxTime, ramp, watchFor          time.Duration
	watch                            bool
	slowerThan                       time.Duration
	replyTimeout, dialTimeout, drain time.Duration

	method, data, path, host, identify string
	headers, headersFromEnv            []string
	ca, cert, key, sni, engine         string
	insecure                           bool
	http                               verify.Protocol
	httpFlag                           *pflag.Flag // tells a default from a choice
	streams                            int
	grpc                               string
	headersFromCmd, vary               []string
	requestFrom                        string
	file                               *requestFile
	stdin                              []byte // all of In, once it was read
	proxyProtocol                      int
	peek                               bool
}

// AddFlags declares the flags with their defaults.
func (f *LoadFlags) AddFlags(fs *pflag.FlagSet) {
	f.AddJudgeFlags(fs)
	f.AddSendFlags(fs)
}

// AddSendFlags declares the flags that say what is sent.
func (f *LoadFlags) AddSendFlags(fs *pflag.FlagSet) {
	fs.StringVar(&f.rate, "rate", verify.DefaultRate.String(), "requests per second over all connections, or max")
	fs.IntVar(&f.connections, "connections", verify.DefaultConnections, "connections held open")
	fs.IntVar(&f.connRequests, "conn-requests", 0, "reconnect after so many replies (0: never)")
	fs.Uint64Var(&f.maxRequests, "max-requests", verify.DefaultMaxRequests, "requests sent at most")
	fs.DurationVar(&f.maxTime, "max-time", verify.DefaultMaxTime, "time measured at most")
	fs.DurationVar(&f.Settle, "settle", f.Settle, "let a change settle so long before the measurement begins")
	fs.DurationVar(&f.ramp, "ramp", 0, "rise to the rate over so long")
	fs.DurationVar(&f.replyTimeout, "reply-timeout", verify.DefaultReplyTimeout, "a reply that takes longer is an error")
	fs.DurationVar(&f.dialTimeout, "connect-timeout", verify.DefaultDialTimeout, "connecting may take so long")
	fs.DurationVar(&f.drain, "drain", 0, "wait so long for replies after the last request (default: --reply-timeout)")

	fs.StringVar(&f.engine, "engine", "auto", "how requests are sent: auto, epoll (Linux, plain TCP), portable or h2")
	fs.Var(&f.http, "http", "version of HTTP: 1.1, 2 (over plain TCP too) or auto, what the far side chooses by ALPN")
	f.httpFlag = fs.Lookup("http")
	fs.IntVar(&f.streams, "streams", 1, "with --http 2: requests at once on each connection")
	fs.IntVar(&f.proxyProtocol, "proxy-protocol", 0, "begin each connection with the proxy protocol's header, version 1 or 2")
	fs.BoolVar(&f.peek, "peek", false, "look for octets nobody asked for before each request, at the price of a system call")
	fs.StringVar(&f.grpc, "grpc", "", "call PACKAGE.SERVICE/METHOD of gRPC with an empty message, judged by grpc-status")
	fs.Lookup("grpc").NoOptDefVal = "grpc.health.v1.Health/Check"

	fs.StringVarP(&f.method, "method", "X", "", "method (default GET, or POST with --data)")
	fs.StringVar(&f.requestFrom, "request", "", "send the request that FILE holds, or stdin for -: METHOD /PATH HTTP/1.1, fields, an empty line, content")
	fs.StringArrayVarP(&f.headers, "header", "H", nil, "header 'Name: value'; repeat for more")
	fs.StringArrayVar(&f.headersFromEnv, "header-from-env", nil, "header NAME=VARIABLE with its value from the environment; repeat for more")
	fs.StringArrayVar(&f.headersFromCmd, "header-from-cmd", nil, "header NAME=COMMAND with what the shell command prints; run again when a reply says 401")
	fs.StringArrayVar(&f.vary, "vary", nil, "make each request its own: header:NAME=TEMPLATE, query:NAME=TEMPLATE or body, with {uuid}, {n} or {hex} in it")
	fs.StringVarP(&f.data, "data", "d", "", "body, or @FILE; @- is stdin")
	fs.StringVar(&f.path, "path", "", "path and query to request")
	fs.StringVar(&f.host, "host", "", "Host header, and the name a certificate must show (default: that of the URL)")
	fs.StringVar(&f.identify, "identify", "", "where a reply names its version: header:NAME, json:/POINTER, body:/RE/ or status (default header:x-app-version)")

	fs.StringVar(&f.ca, "ca", "", "PEM file of the authorities to trust")
	fs.StringVar(&f.cert, "cert", "", "PEM file of the client certificate")
	fs.StringVar(&f.key, "key", "", "PEM file of its key")
	fs.StringVar(&f.sni, "sni", "", "server name to ask for in the handshake, where it is not the one the certificate must show (default: the host)")
	fs.BoolVar(&f.insecure, "insecure", false, "do not verify the certificate")
}

// Identified says whether the user said where the version stands.
func (f *LoadFlags) Identified() bool { return f.identify != "" }

// TakeIdentify says whether --identify is this word, which is then the caller's to act on and no rule.
func (f *LoadFlags) TakeIdentify(word string) bool {
	if f.identify != word {
		return false
	}
	f.identify = ""
	return true
}

// Config reads the flags into a Config that lacks URL and Target: those are the caller's. Every fault is said at once.
func (f *LoadFlags) Config() (verify.Config, error) {
	var faults []error
	check := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	c, err := f.Judged()
	check(err)
	if f.rate != "" {
		c.Rate, err = verify.ParseRate(f.rate)
		check(err)
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"--max-time", f.maxTime}, {"--reply-timeout", f.replyTimeout}, {"--connect-timeout", f.dialTimeout}} {
		if d.value <= 0 {
			check(fault.Usagef("write a duration such as 30s", "%s %v is not above 0", d.flag, d.value))
		}
	}
	if f.maxRequests == 0 {
		check(fault.Usagef("the default is --max-requests 15000", "--max-requests 0 sends nothing"))
	}
	if f.connections <= 0 {
		check(fault.Usagef("the default is --connections 16", "--connections %d is not above 0", f.connections))
	}
	c.Connections, c.ConnRequests, c.MaxRequests = f.connections, f.connRequests, f.maxRequests
	c.MaxTime, c.Ramp, c.Settle = f.maxTime, f.ramp, f.Settle
	c.ReplyTimeout, c.DialTimeout, c.Drain = f.replyTimeout, f.dialTimeout, f.drain
	switch {
	case f.watchFor < 0 || f.watchFor > 0 && !f.watch:
		check(fault.Usagef("write --watch --for 10m", "--for %v needs --watch and a duration above 0", f.watchFor))
	case f.watch:
		if c.Watch = f.watchFor; c.Watch == 0 {
			c.Watch = 365 * 24 * time.Hour // until something ends it
		}
	}
	c.Method, c.Host, c.Vary = f.method, f.host, f.vary
	c.ProxyProtocol, c.Peek = f.proxyProtocol, f.peek
	if f.data != "" {
		c.Body, err = f.body()
		check(err)
		if c.Method == "" {
			c.Method = "POST"
		}
	}
	c.Engine, err = load.ParseEngine(f.engine)
	check(err)
	c.HTTP, c.Streams = f.http, f.streams
	if c.Engine != nil && c.Engine.Name() == load.HTTP2().Name() && !f.httpFlag.Changed {
		c.HTTP = verify.HTTP2 // the engine's name says it
	}
	check(f.call(&c))
	check(f.fromFile(&c))
	check(f.credentials(&c))
	if f.identify != "" {
		c.Identify, err = attribute.ParseRule(f.identify)
		check(err)
	}
	c.TLS, err = f.tls()
	check(err)
	return c, errors.Join(faults...)
}
