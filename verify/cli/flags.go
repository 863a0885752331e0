package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math"
	"os"
	"strconv"
	"strings"
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
	streams                            int
	grpc                               string
	headersFromCmd, vary               []string
	requestFrom                        string
	file                               *requestFile
	proxyProtocol                      int
	peek                               bool
}

// AddFlags declares the flags with their defaults.
func (f *LoadFlags) AddFlags(fs *pflag.FlagSet) {
	f.AddJudgeFlags(fs)
	f.AddSendFlags(fs)
}

// AddJudgeFlags declares the flags that say what counts as right.
func (f *LoadFlags) AddJudgeFlags(fs *pflag.FlagSet) {
	fs.StringVar(&f.tolerance, "tolerance", "", "how far a share may lie from its target: 2% or v1=2%,v2=1% (default: a fifth of the smaller side, 0.5 to 2 points)")
	fs.StringVar(&f.confidence, "confidence", "95%", "of every verdict; 1 minus it is the probability of a wrong one")
	fs.StringVar(&f.failOn, "fail-on", "split,errors", "what can make a FAIL: split, errors, latency (with --slower-than), joined by commas; the split always can")
	fs.DurationVar(&f.slowerThan, "slower-than", 0, "with --fail-on split,errors,latency: what counts as a slow request")
	fs.StringVar(&f.maxErrorRate, "max-error-rate", "", "also certify that each version fails less often than this (default: only guard against 5%)")
	fs.StringVar(&f.inconclusiveAs, "inconclusive-as", "", "end an INCONCLUSIVE run like a pass or a fail, for callers that know only two")
}

// AddWatchFlags declares the flags that go on after a PASS.
func (f *LoadFlags) AddWatchFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&f.watch, "watch", false, "after a PASS keep checking until a FAIL or Ctrl-C; a false alarm comes once a week at most, on average")
	fs.DurationVar(&f.watchFor, "for", 0, "with --watch: end after so long, with the PASS")
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
	fs.IntVar(&f.streams, "streams", 1, "with --http 2: requests at once on each connection")
	fs.IntVar(&f.proxyProtocol, "proxy-protocol", 0, "begin each connection with the proxy protocol's header, version 1 or 2")
	fs.BoolVar(&f.peek, "peek", false, "look for octets nobody asked for before each request, at the price of a system call")
	fs.StringVar(&f.grpc, "grpc", "", "call PACKAGE.SERVICE/METHOD of gRPC with an empty message, judged by grpc-status")
	fs.Lookup("grpc").NoOptDefVal = "grpc.health.v1.Health/Check"

	fs.StringVarP(&f.method, "method", "X", "", "method (default GET, or POST with --data)")
	fs.StringVar(&f.requestFrom, "request", "", "send the request that FILE holds: METHOD /PATH HTTP/1.1, fields, an empty line, content")
	fs.StringArrayVarP(&f.headers, "header", "H", nil, "header 'Name: value'; repeat for more")
	fs.StringArrayVar(&f.headersFromEnv, "header-from-env", nil, "header NAME=VARIABLE with its value from the environment; repeat for more")
	fs.StringArrayVar(&f.headersFromCmd, "header-from-cmd", nil, "header NAME=COMMAND with what the shell command prints; run again when a reply says 401")
	fs.StringArrayVar(&f.vary, "vary", nil, "make each request its own: header:NAME=TEMPLATE, query:NAME=TEMPLATE or body, with {uuid}, {n} or {hex} in it")
	fs.StringVarP(&f.data, "data", "d", "", "body, or @FILE")
	fs.StringVar(&f.path, "path", "", "path and query to request")
	fs.StringVar(&f.host, "host", "", "Host header, and the name a certificate must show")
	fs.StringVar(&f.identify, "identify", "", "where a reply names its version: header:NAME, json:/POINTER, body:/RE/ or status (default header:x-app-version)")

	fs.StringVar(&f.ca, "ca", "", "PEM file of the authorities to trust")
	fs.StringVar(&f.cert, "cert", "", "PEM file of the client certificate")
	fs.StringVar(&f.key, "key", "", "PEM file of its key")
	fs.StringVar(&f.sni, "sni", "", "server name to ask for (default: the host)")
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
	if c.Engine != nil && c.Engine.Name() == load.HTTP2().Name() && c.HTTP == verify.HTTP11 {
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

// Judged reads the flags of AddJudgeFlags into a Config that is silent about everything else. Every fault is said at once.
func (f *LoadFlags) Judged() (verify.Config, error) {
	var c verify.Config
	var faults []error
	check := func(err error) {
		if err != nil {
			faults = append(faults, err)
		}
	}
	var err error
	if f.tolerance != "" {
		c.Tolerance, err = verify.ParseTolerance(f.tolerance)
		check(err)
	}
	c.Confidence, err = fraction("--confidence", f.confidence, verify.DefaultConfidence)
	check(err)
	c.MaxErrorRate, err = fraction("--max-error-rate", f.maxErrorRate, 0)
	check(err)
	check(f.judge(&c))
	if f.inconclusiveAs != "" && f.inconclusiveAs != "pass" && f.inconclusiveAs != "fail" {
		check(fault.Usagef("write --inconclusive-as pass or fail", "--inconclusive-as %q is neither", f.inconclusiveAs))
	}
	return c, errors.Join(faults...)
}

// judge reads --fail-on and what belongs to it.
func (f *LoadFlags) judge(c *verify.Config) error {
	if f.failOn == "" {
		return nil // a command that only loads
	}
	const hint = "write --fail-on split,errors, or --fail-on split,errors,latency --slower-than 50ms"
	judged := map[string]bool{}
	for _, what := range strings.Split(f.failOn, ",") {
		if what != "split" && what != "errors" && what != "latency" {
			return fault.Usagef(hint, "--fail-on %q: %q is not split, errors or latency", f.failOn, what)
		}
		judged[what] = true
	}
	switch {
	case !judged["split"]:
		return fault.Usagef(hint, "--fail-on %q leaves out the split, which always decides", f.failOn)
	case judged["latency"] != (f.slowerThan > 0):
		return fault.Usagef(hint, "--fail-on latency and --slower-than go together")
	}
	c.IgnoreErrors, c.SlowerThan = !judged["errors"], f.slowerThan
	return nil
}

// call makes the request a gRPC call with an empty message: five octets, that it is not compressed and 0 long.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
func (f *LoadFlags) call(c *verify.Config) error {
	if f.grpc == "" {
		return nil
	}
	if f.method != "" || f.data != "" || f.path != "" {
		return fault.Usagef("write --grpc=PACKAGE.SERVICE/METHOD alone", "--grpc says method, path and content; -X, -d and --path do too")
	}
	service, method, ok := strings.Cut(f.grpc, "/")
	if !ok || service == "" || method == "" || strings.ContainsAny(f.grpc, " \t?#") || strings.Contains(method, "/") {
		return fault.Usagef("write --grpc=grpc.health.v1.Health/Check, with the =", "--grpc %q is not PACKAGE.SERVICE/METHOD", f.grpc)
	}
	c.GRPC, c.HTTP, c.Method, c.Body = true, verify.HTTP2, "POST", make([]byte, 5)
	return nil
}

// Path is the path and query asked for, or empty.
func (f *LoadFlags) Path() (string, error) {
	if f.grpc != "" {
		return "/" + f.grpc, nil
	}
	if err := f.readRequest(); err != nil {
		return "", err
	}
	if f.file != nil {
		return f.file.path, nil
	}
	if f.path != "" && !strings.HasPrefix(f.path, "/") {
		return "", fault.Usagef("write --path /"+f.path, "--path %q does not begin with a slash", f.path)
	}
	return f.path, nil
}

// Exit is the exit code of a verdict, which --inconclusive-as may bend.
func (f *LoadFlags) Exit(r *verify.Report) fault.Code {
	code := verify.ExitCode(r)
	if code == fault.Inconclusive {
		switch f.inconclusiveAs {
		case "pass":
			return fault.Done
		case "fail":
			return fault.Fail
		}
	}
	return code
}

func (f *LoadFlags) body() ([]byte, error) {
	name, isFile := strings.CutPrefix(f.data, "@")
	if !isFile {
		return []byte(f.data), nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.Usagef("", "reading the body: %w", err)
	}
	return data, nil
}

// readRequest reads the file of --request, once.
func (f *LoadFlags) readRequest() (err error) {
	if f.requestFrom != "" && f.file == nil {
		f.file, err = readRequestFile(f.requestFrom)
	}
	return err
}

// fromFile makes the request that of the file.
func (f *LoadFlags) fromFile(c *verify.Config) error {
	if err := f.readRequest(); err != nil || f.file == nil {
		return err
	}
	if f.method != "" || f.data != "" || f.path != "" || f.grpc != "" {
		return fault.Usagef("write --request FILE alone, with -H for more", "--request says method, path and content; -X, -d, --path and --grpc do too")
	}
	c.Method, c.Body = f.file.method, f.file.body
	if c.Host == "" {
		c.Host = f.file.host
	}
	return nil
}

// credentials collects the header, with what the environment and commands say; the commands can be asked again.
func (f *LoadFlags) credentials(c *verify.Config) error {
	lines, err := f.header()
	if err != nil {
		return err
	}
	all := func(ctx context.Context) ([]string, error) {
		more, err := headersFromCommands(ctx, f.headersFromCmd)
		return append(lines[:len(lines):len(lines)], more...), err
	}
	c.Header, err = all(context.Background())
	if len(f.headersFromCmd) > 0 {
		c.RenewHeader = all
	}
	return err
}

func (f *LoadFlags) header() ([]string, error) {
	var lines []string
	if f.file != nil {
		lines = append(lines, f.file.header...)
	}
	lines = append(lines, f.headers...)
	for _, term := range f.headersFromEnv {
		name, variable, ok := strings.Cut(term, "=")
		if !ok || name == "" || variable == "" {
			return nil, fault.Usagef("write --header-from-env Authorization=TOKEN_VARIABLE", "--header-from-env %q is not NAME=VARIABLE", term)
		}
		value, set := os.LookupEnv(variable)
		if !set {
			return nil, fault.Usagef("export it first", "--header-from-env: environment variable %s is not set", variable)
		}
		lines = append(lines, name+": "+value)
	}
	return lines, nil
}

func (f *LoadFlags) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.sni, InsecureSkipVerify: f.insecure}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fault.Usagef("", "reading --ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.Usagef("it must be PEM", "--ca %s holds no certificate", f.ca)
		}
	}
	if (f.cert == "") != (f.key == "") {
		return nil, fault.Usagef("give both --cert and --key", "--cert and --key go together")
	}
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return nil, fault.Usagef("", "reading --cert and --key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// fraction reads "95%" or "0.95".
func fraction(flag, text string, silent float64) (float64, error) {
	if text == "" {
		return silent, nil
	}
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	x, err := strconv.ParseFloat(number, 64)
	if percent {
		x = math.Round(x*1e10) / 1e12 // 99.9% is 0.999, not the float beside it
	}
	if err != nil || !(x > 0 && x < 1) {
		return 0, fault.Usagef("write "+flag+" 95% or 0.95", "%s %q is not above 0 and below 1 (0 %% and 100 %%)", flag, text)
	}
	return x, nil
}
