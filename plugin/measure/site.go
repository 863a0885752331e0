package measure

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/attribute"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Site is a place where load goes in and replies say who answered.
type Site struct {
	config verify.Config // without a target
	naming naming
	say    repliesSay
	inject bool // the header that tells destinations apart is yet to be injected
	closer io.Closer
}

// Open finds the Site of a subject: it settles the request, which the subject's entry must govern, shows each address before the
// first connection to it, takes the first that answers HTTP, and learns there how replies name versions.
func Open(ctx context.Context, s *subject.Subject, f *Flags, show *screen.Screen) (*Site, error) {
	if err := checkFaults(s.Entry, f.AllowFault); err != nil {
		return nil, err
	}
	if err := checkPort(s.Entry, f.Address); err != nil {
		return nil, err
	}
	q, err := inquire(ctx, s, f, show)
	if err != nil {
		return nil, err
	}
	if err := oneDraw(s.Entry, &q.config); err != nil {
		return nil, err
	}
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails since Go 1.24
	q.config.RunID = hex.EncodeToString(id)
	candidates := s.Client.Addresses(s.Gateways)
	if f.Address != "" {
		given, err := mesh.ParseAddress(f.Address)
		if err != nil {
			return nil, err
		}
		candidates = []mesh.Address{given}
	}
	var tried []string
	for _, a := range candidates {
		site, err := openAt(ctx, s, f, a, q, show)
		var silent unreachable
		if err == nil || !errors.As(err, &silent) {
			return site, err
		}
		show.Line("  no answer: %s", report.Safe(err.Error()))
		tried = append(tried, err.Error())
	}
	return nil, fault.New(fault.Failed, addressHint(s), "gateway unreachable: %s", strings.Join(tried, "; ")).Named("E_UNREACHABLE")
}

func addressHint(s *subject.Subject) string {
	if strings.HasPrefix(s.Client.Context, "k3d-") {
		return "k3d maps its load balancer to a local port: --address http://localhost:8080, if it was made with -p 8080:80@loadbalancer"
	}
	return "say where the gateway answers with --address http://HOST:PORT"
}

// openAt tries one address.
func openAt(ctx context.Context, s *subject.Subject, f *Flags, a mesh.Address, q inquiry, show *screen.Screen) (_ *Site, err error) {
	site := &Site{closer: io.NopCloser(nil)}
	if a.Open != nil {
		opened, closer, err := a.Open(ctx)
		if err != nil {
			return nil, err
		}
		a, site.closer = opened, closer
	}
	config := q.config
	if config.URL, err = resolvePath(a.URL, q.path); err != nil {
		return nil, err
	}
	config.Addresses = a.Addresses
	line := loadLine(a, config)
	if q.derived != "" {
		line += "; " + report.Safe(q.derived)
	}
	show.Line("%s", line)
	if a.Warning != "" {
		show.Warn("%s", a.Warning)
	}
	heads, err := probe(ctx, config)
	site.say = listen(heads)
	switch {
	case err != nil:
	case f.inject:
		site.inject, site.naming = true, naming{header: route.InjectedHeader}
	default:
		site.naming, config.Identify, err = nameVersions(ctx, s.Entry, f, config, heads)
	}
	if err != nil {
		site.Close()
		return nil, err
	}
	site.config = config
	return site, nil
}

// resolvePath puts --path in place of the address's own path.
func resolvePath(address, path string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", fault.Usagef("write it as --address http://HOST:PORT", "address %q: %w", address, err)
	}
	if u, err = cli.WithPath(u, path); err != nil {
		return "", err
	}
	return u.String(), nil
}

// hostOf is the Host header that leads to the subject: its only exact host, or nothing where every host does.
func hostOf(s *subject.Subject) (string, error) {
	hosts := s.Hosts()
	switch {
	case len(hosts) == 0, slices.Contains(hosts, "*"):
		return "", nil // the address itself
	case len(hosts) == 1 && !strings.HasPrefix(hosts[0], "*"):
		return hosts[0], nil
	}
	return "", fault.Usagef("choose one with --host; hosts here: "+strings.Join(hosts, ", "),
		"%s serves %d hosts", s.Object, len(hosts)).Named("E_CHOOSE")
}

// loadLine says where the load goes and how much it is at most, before anything is sent.
func loadLine(a mesh.Address, c verify.Config) string {
	u, _ := url.Parse(c.URL)
	to := a.URL
	if len(a.Addresses) > 1 {
		to = u.Scheme + "://" + strings.Join(a.Addresses, ", ")
	}
	method := c.Method
	if method == "" {
		method = "GET"
	}
	rate := "as fast as replies come"
	most := "at most " + report.Count(c.MaxRequests) + " requests or " + report.Seconds(c.MaxTime.Seconds())
	if c.Rate != verify.Unpaced {
		rate = c.Rate.String() + " requests/s"
		if float64(c.MaxRequests) >= float64(c.Rate)*c.MaxTime.Seconds() {
			most = "at most " + report.Seconds(c.MaxTime.Seconds())
		}
	}
	line := fmt.Sprintf("load to %s (%s), %s %s, %s, %s", report.Safe(to), a.Reason, method, report.Safe(u.RequestURI()), rate, most)
	if c.Host != "" && c.Host != u.Host {
		line += ", host " + report.Safe(c.Host)
	}
	return line
}

// nameVersions learns how replies name versions: from the headers that are in use, or by the rule that was given, of which
// a handful of requests shows the values.
func nameVersions(ctx context.Context, e route.Entry, f *Flags, c verify.Config, heads []http.Header) (naming, attribute.Rule, error) {
	if !f.Identified() {
		n, err := identify(e, heads)
		if err != nil {
			return naming{}, attribute.Rule{}, err
		}
		rule, err := attribute.ParseRule("header:" + n.header)
		return n, rule, err
	}
	c.LoadOnly, c.MaxRequests, c.Connections, c.Rate, c.Settle = true, 2*probes, 1, verify.DefaultRate, 0
	r, err := verify.Run(ctx, c)
	if err != nil {
		return naming{}, c.Identify, err
	}
	var seen []string
	for _, v := range r.Versions {
		if v.Requests > 0 {
			seen = append(seen, v.Name)
		}
	}
	labels, _ := labelsFor(e.Destinations, seen)
	if labels == nil {
		said := "no reply named one"
		if len(seen) > 0 {
			said = "replies say " + report.Safe(strings.Join(seen, ", "))
		}
		return naming{}, c.Identify, fault.New(fault.Failed, "destinations here: "+strings.Join(e.Names(), ", ")+"; choose another --identify",
			"no version in the replies by --identify: %s", said).Named("E_NO_VERSION")
	}
	return naming{"--identify", labels}, c.Identify, nil
}

// Naming says in a few words how replies name versions.
func (s *Site) Naming() string {
	if s.inject {
		return "the gateways will name destinations in " + s.naming.header
	}
	if s.naming.header == "--identify" {
		return "replies name versions as --identify says"
	}
	return "replies name versions in " + s.naming.header
}

// Labels are the names that replies give to the destinations of the entry, in its order.
func (s *Site) Labels() []string { return s.naming.labels }

// Config is the question whether the gateway sends every destination of e the share its weight asks for. Of is the number of routes
// whose verdicts stand together.
func (s *Site) Config(e route.Entry, of int) (verify.Config, error) {
	var weights []int64
	for _, t := range e.Targets() {
		weights = append(weights, t.Weight)
	}
	split, err := verify.NewSplit(s.naming.labels, weights)
	if err != nil {
		return verify.Config{}, err
	}
	c := s.config
	c.Target, c.Confidence = split, each(c.Confidence, of)
	return c, nil
}

// each is the confidence of each of n verdicts by which all of them together have the one asked for: the probability of a wrong one is
// divided, so that it adds up to what was promised however the routes' requests depend on each other (Bonferroni).
func each(together float64, n int) float64 {
	if n < 2 {
		return together
	}
	if together == 0 {
		together = verify.DefaultConfidence
	}
	return 1 - (1-together)/float64(n)
}

// Close ends the way to the address, where there was one to open.
func (s *Site) Close() error { return s.closer.Close() }
