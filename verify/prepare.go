package verify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net"
	"sort"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/version"
)

// prepare turns the Config into what the engine needs, but for the engine itself. It resolves the URL's host and connects
// to nothing.
func (c *Config) prepare(ctx context.Context) (*load.Plan, where, error) {
	u, hostport, secure := c.target()
	if c.RunID == "" {
		c.RunID = randomHex(8)
	}
	host := c.Host
	if host == "" {
		host = u.Host
	}
	path := u.RequestURI()
	request, slots, err := c.request(host, path, c.Header)
	if err != nil {
		return nil, where{}, err
	}
	names := c.Addresses
	if len(names) == 0 {
		names = []string{hostport}
	}
	var addresses []string
	for _, name := range names { // a name that says nothing is known before anything is sent
		found, err := resolve(ctx, name)
		if err != nil {
			return nil, where{}, err
		}
		addresses = append(addresses, found...)
	}
	p := &load.Plan{
		Request: request, Slots: slots, Head: c.Method == "HEAD", Addresses: names, Identify: c.Identify,
		ProxyProtocol: c.ProxyProtocol, Peek: c.Peek,
		Connections: c.Connections, Streams: c.Streams, GRPC: c.GRPC, ConnRequests: c.ConnRequests, MaxRequests: c.MaxRequests, Ramp: c.Ramp,
		ReplyTimeout: c.ReplyTimeout, DialTimeout: c.DialTimeout, Drain: c.Drain, Abort: c.Abort, SlowerThan: c.SlowerThan,
	}
	if c.RenewHeader != nil {
		p.Renew = func(ctx context.Context) ([]byte, []load.Slot, error) {
			header, err := c.RenewHeader(ctx)
			if err != nil {
				return nil, nil, err
			}
			return c.request(host, path, header)
		}
	}
	if c.Watch > 0 {
		p.MaxRequests = 0 // the cap holds until the PASS, see run.decided; a watch has none
	}
	if c.Rate != Unpaced {
		p.Rate = float64(c.Rate)
	}
	if secure {
		p.TLS = ClientTLS(c.TLS, host)
	}
	w := where{Load: report.Load{
		URL: u.String(), Host: host, Method: c.Method, Addresses: addresses, Connections: c.Connections, RateAsked: p.Rate,
	}}
	if p.Streams > 1 {
		w.Load.Streams = p.Streams
	}
	w.Load.Insecure = secure && c.TLS != nil && c.TLS.InsecureSkipVerify
	return p, w, nil
}

// request builds what is sent, and says where it differs from request to request.
func (c *Config) request(host, path string, header []string) ([]byte, []load.Slot, error) {
	o := load.RequestOptions{Method: c.Method, Path: path, Host: host, Header: append([]string(nil), header...), Body: c.Body, GRPC: c.GRPC}
	t, err := c.vary(&o)
	if err != nil {
		return nil, nil, err
	}
	o.Header = withIdentity(o.Header, c.RunID)
	octets, err := load.BuildRequest(o)
	if err != nil {
		return nil, nil, err
	}
	return octets, t.slots(octets), nil
}

// withIdentity puts the headers that say who sends before the user's own; the user's own replace them by name.
func withIdentity(own []string, runID string) []string {
	lines := []string{
		"User-Agent: mesh-split/" + version.String(),
		"X-Mesh-Split-Run: " + runID,
		"Traceparent: 00-" + randomHex(16) + "-" + randomHex(8) + "-00", // flags 00: do not sample
	}
	var kept []string
	for _, line := range lines {
		name, _, _ := strings.Cut(line, ":")
		replaced := false
		for _, o := range own {
			ownName, _, _ := strings.Cut(o, ":")
			replaced = replaced || strings.EqualFold(strings.TrimSpace(ownName), name)
		}
		if !replaced {
			kept = append(kept, line)
		}
	}
	return append(kept, own...)
}

// resolve gives every address of hostport in a fixed order: connections go round robin over them.
func resolve(ctx context.Context, hostport string) ([]string, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, fault.Usagef("write it as http://HOST:PORT/PATH", "address %q: %w", hostport, err)
	}
	if net.ParseIP(host) != nil {
		return []string{hostport}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, fault.New(fault.Failed, "check the name, or connect to an address and set --host", "resolving %s: %w", host, err)
	}
	var addresses []string
	for _, ip := range ips {
		addresses = append(addresses, net.JoinHostPort(ip.String(), port))
	}
	sort.Strings(addresses)
	return addresses, nil
}

// randomHex gives n random octets in hex: an identifier, not a secret.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b)
}
