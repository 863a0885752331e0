package measure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/version"
)

// inquiry is the request that is to be measured, before any is sent.
type inquiry struct {
	config  verify.Config // without an address
	scheme  string        // the one asked for, or that of the gateways' server
	port    int           // of that server; 0 is the scheme's
	served  bool          // the gateways have a server of the scheme that was asked for
	hosted  bool          // the host was given
	path    string        // and query; "" is the address's own
	derived string        // what of it follows from the entry's match, for people; "" for nothing
}

// probe is the request as the gateway will see it at an address.
func (q inquiry) probe(at *url.URL) route.Probe {
	p := route.Probe{Scheme: q.scheme, Port: q.port, Host: q.config.Host,
		Method: strings.ToUpper(q.config.Method), Path: at.EscapedPath(), Query: at.RawQuery,
		Headers: map[string][]string{"User-Agent": {"mesh-split/" + version.String()}, "X-Mesh-Split-Run": {"id"}}}
	if u, err := cli.WithPath(at, q.path); err == nil {
		p.Path, p.Query = u.EscapedPath(), u.RawQuery
	}
	if p.Path == "" {
		p.Path = "/"
	}
	if q.config.GRPC {
		p.Headers["Content-Type"] = []string{"application/grpc"}
	}
	for _, line := range q.config.Header {
		name, value, _ := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if strings.EqualFold(name, "host") {
			p.Host = value
			continue
		}
		if strings.EqualFold(name, "user-agent") {
			delete(p.Headers, "User-Agent")
		}
		p.Headers[name] = append(p.Headers[name], value)
	}
	if p.Host == "" {
		p.Host = at.Host
	}
	for _, term := range q.config.Vary {
		where, value, _ := strings.Cut(term, "=")
		switch kind, name, _ := strings.Cut(where, ":"); kind {
		case "header":
			p.Headers[name] = []string{one.Replace(value)}
		case "query":
			if p.Query != "" {
				p.Query += "&"
			}
			p.Query += name + "=" + one.Replace(value)
		}
	}
	if q.config.TLS != nil {
		p.SNI = q.config.TLS.ServerName
	}
	return p
}

// one makes of the template of --vary what one of the requests may have.
var one = strings.NewReplacer("{uuid}", "00000000-0000-4000-8000-000000000001", "{n}", "1", "{hex}", "0000000000000001")

// place is where the load is meant to go: the URL of the first address, and whether that is certainly the gateways' own.
func place(s *subject.Subject, f *Flags) (at *url.URL, ours bool, err error) {
	own := s.Client.Addresses(s.Gateways)
	first := own[0]
	if f.Address != "" {
		if first, err = mesh.ParseAddress(f.Address); err != nil {
			return nil, false, err
		}
	}
	if at, err = url.Parse(first.URL); err != nil {
		return nil, false, fault.Usagef("write it as --address http://HOST:PORT", "address %q: %w", first.URL, err)
	}
	return at, f.Address == "" || slices.ContainsFunc(own, func(a mesh.Address) bool { return leads(a, at) }), nil
}

// leads says whether a URL goes to one of the places of an address.
func leads(a mesh.Address, to *url.URL) bool {
	if a.Open != nil {
		return false
	}
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	u, err := url.Parse(a.URL)
	return err == nil && (u.Host == net.JoinHostPort(to.Hostname(), port) || slices.Contains(a.Addresses, net.JoinHostPort(to.Hostname(), port)))
}

// begin is what the flags say of the request.
func begin(s *subject.Subject, f *Flags) (q inquiry, err error) {
	if q.config, err = f.Config(); err != nil {
		return q, err
	}
	if q.path, err = f.Path(); err != nil {
		return q, err
	}
	if q.hosted = q.config.Host != ""; !q.hosted {
		q.config.Host, err = hostOf(s)
	}
	if f.URL != "" {
		p, err := f.asked()
		if err != nil {
			return q, err
		}
		// The server of the scheme; where there is none, what governs the request says why.
		if q.scheme, q.served = p.Scheme, s.Gateways.Toward(p.Scheme, p.Port); !q.served {
			q.port = p.Port
			return q, nil
		}
	}
	server := s.Gateways.Server
	q.scheme, q.port = map[bool]string{false: "http", true: "https"}[server.TLS], int(server.Port)
	return q, err
}

// decide asks which entry governs a request. Where the objects leave the order open a gateway's own Envoy tells. Unread names
// kinds of which something may be missing.
func decide(ctx context.Context, s *subject.Subject, p route.Probe) (d *route.Decision, unread []string, err error) {
	rules, unread, err := s.Rules(ctx)
	if err != nil {
		return nil, nil, err
	}
	d, err = rules.Which(p, nil)
	var f *fault.Error
	if errors.As(err, &f) && f.Name == "E_ORDER_UNDEFINED" {
		if dump, dumpErr := s.Client.Dump(ctx, s.Gateways); dumpErr == nil {
			d, err = rules.Which(p, dump)
		}
	}
	return d, unread, err
}

// inquire settles the request: what the flags leave open follows from the match of the entry, and the entry must govern it. What
// cannot be known for want of rights is a warning, and what some other address does with the request is not ours to refuse.
func inquire(ctx context.Context, s *subject.Subject, f *Flags, show *screen.Screen) (inquiry, error) {
	q, err := begin(s, f)
	if err != nil {
		return q, err
	}
	at, ours, err := place(s, f)
	if err != nil || s.Entry.OfConnections() { // what a connection carries decides nothing
		return q, err
	}
	given := route.Given{Path: q.path != "" || at.Path != "" && at.Path != "/", Method: q.config.Method != "", Host: q.hosted}
	samples, err := s.Entry.Samples(q.probe(at), given, route.Listener{Port: int(s.Gateways.Server.Port)})
	if err != nil && ours {
		return q, err
	}
	if err != nil {
		samples = []route.Sample{{Probe: q.probe(at)}}
	}
	chosen := samples[0]
	var refusal error
	for i, sample := range samples {
		decision, unread, err := decide(ctx, s, sample.Probe)
		if err == nil {
			err = decision.Confirm(s.Entry)
		}
		if err = weigh(err, unread, s, show); err == nil {
			chosen, refusal = sample, nil
			if decision != nil {
				for _, w := range decision.Warnings {
					show.Warn("%s: %s", w.Name, report.Safe(w.Text))
				}
			}
			break
		}
		if i == 0 {
			refusal = err
		}
	}
	switch {
	case ctx.Err() != nil:
		return q, context.Cause(ctx)
	case refusal != nil && ours:
		return q, refusal
	case refusal != nil:
		show.Say("note", "at the gateways this request would not get to %s: %s", report.Safe(s.Entry.String()), report.Safe(refusal.Error()))
	}
	if f.URL != "" && !q.served && ours {
		return q, fault.New(fault.Refused, "kubectl mesh-split which "+report.Safe(f.URL)+" says what listens there", "the gateways of %s have no %s server for it", s.Object, q.scheme).Named("E_NO_LISTENER")
	}
	return q.with(chosen, s.Entry), nil
}

// weigh says whether what stands against a request is certain. With --route a condition that nobody can know is the person's own
// knowledge; and what was not read may be what is missing.
func weigh(err error, unread []string, s *subject.Subject, show *screen.Screen) error {
	var f *fault.Error
	certain := []string{"E_ROUTE_NOT_GOVERNING", "E_NO_WEIGHTS"}
	switch {
	case err == nil && len(unread) == 0:
		return nil
	case len(unread) > 0 && (err == nil || errors.As(err, &f) && !slices.Contains(certain, f.Name)):
		show.Warn("W_UNCHECKED: no right to list %s everywhere: that %s governs the request is not certain", strings.Join(unread, ", "), report.Safe(s.Entry.String()))
		return nil
	case errors.As(err, &f) && f.Name == "E_MATCH_UNKNOWN" && s.Chosen():
		show.Warn("W_UNCHECKED: %s", report.Safe(err.Error()))
		return nil
	}
	return err
}

// with takes over what a sample adds.
func (q inquiry) with(sample route.Sample, e route.Entry) inquiry {
	if len(sample.Flags) == 0 {
		return q
	}
	p := sample.Probe
	q.config.Header = append(slices.Clone(q.config.Header), sample.Added...)
	q.derived = fmt.Sprintf("as %s matches: %s", e.Slot(), strings.Join(sample.Flags, " "))
	for _, flag := range sample.Flags {
		switch word, _, _ := strings.Cut(flag, " "); word {
		case "--path":
			if q.path = p.Path; p.Query != "" {
				q.path += "?" + p.Query
			}
		case "-X":
			q.config.Method = p.Method
		case "--host":
			q.config.Host = p.Host
		}
	}
	return q
}
