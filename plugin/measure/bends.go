package measure

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// CodeCached is the reason of an INCONCLUSIVE whose replies come from a cache.
const CodeCached = "cached"

// Bends are the fields of an entry and of what stands around it that lie between what a version does and what clients see, in
// words for the report. Retries stay with the version that was drawn, so the split is not bent, but failures are hidden
// (https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry). g is the namespace of the gateway.
func Bends(e route.Entry, m *route.Mesh, g string) []string {
	var list []string
	if retries, ok := e.Raw["retries"].(map[string]any); ok && !isZero(retries["attempts"]) {
		list = append(list, "the route retries failing requests: errors are counted after that, and hide what a version really fails")
	}
	delayed, aborted := e.InjectedFaults()
	if aborted > 0 {
		list = append(list, fmt.Sprintf("the route injects faults: the gateway answers %s of the requests itself, and they name no version", report.Percent(aborted/100, 2)))
	}
	if delayed > 0 {
		list = append(list, fmt.Sprintf("the route injects faults: %s of the requests are delayed on purpose, which times say as well", report.Percent(delayed/100, 2)))
	}
	for _, mirror := range e.Mirrors() {
		list = append(list, "the route mirrors requests to "+mirror.To+": this load gets there as well, and its replies are nobody's")
	}
	if sessions := m.Sessions(e, g); len(sessions) > 0 {
		list = append(list, "clients stay on one endpoint of "+strings.Join(sessions, ", ")+": that is chosen inside a version and does not bend the split")
	}
	return list
}

// isZero says whether a decoded JSON number is there and 0.
func isZero(v any) bool {
	switch n := v.(type) {
	case int64:
		return n == 0
	case float64:
		return n == 0
	}
	return false
}

// checkFaults refuses to measure a route whose gateway answers some of the requests itself, unless that was asked for.
func checkFaults(e route.Entry, allowed bool) error {
	if _, aborted := e.InjectedFaults(); aborted > 0 && !allowed {
		return fault.New(fault.Refused, "take spec."+string(e.Section)+"["+strconv.Itoa(e.Index)+"].fault.abort away, or measure all the same with --allow-fault: what is aborted then counts as without a version",
			"%s injects faults: the gateway aborts %s of the requests, and they reach no version", e, report.Percent(aborted/100, 2)).Named("E_FAULT")
	}
	return nil
}

// checkPort refuses to measure an entry of connections by an address that was found, where the object routes something else as well:
// the load may go in there, and a verdict about one must not rest on the other.
func checkPort(e route.Entry, address string) error {
	if !e.OfConnections() || address != "" {
		return nil
	}
	all, err := route.Entries(e.Object, nil)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.Section != e.Section {
			return fault.New(fault.Refused, "say where its connections come in with --address http://HOST:PORT",
				"the object has %s entries besides %s, and which of the gateway's ports leads to which is not known", other.Section, e).Named("E_NO_LISTENER")
		}
	}
	return nil
}

// oneDraw makes each sample of a connection-oriented route a connection of its own: it is there that Envoy draws. E_REUSED where
// the flags want otherwise.
func oneDraw(e route.Entry, c *verify.Config) error {
	if !e.OfConnections() {
		return nil
	}
	if c.ConnRequests > 1 || c.Streams > 1 || c.HTTP == verify.HTTP2 {
		return fault.Usagef("leave --conn-requests, --streams and --http 2 out", "%s is drawn once for each connection: requests that share one are no samples", e).Named("E_REUSED")
	}
	c.ConnRequests = 1
	return nil
}

// repliesSay is what replies show of things on the way that remember.
type repliesSay struct {
	cached  string // the header that says so, "" for no cache
	cookies []string
}

// listen reads it off the replies to the first requests.
func listen(heads []http.Header) repliesSay {
	var say repliesSay
	for _, h := range heads {
		for _, name := range []string{"Age", "X-Cache", "Cf-Cache-Status", "X-Cache-Status"} {
			v := strings.TrimSpace(h.Get(name))
			age, _ := strconv.Atoi(v)
			if name == "Age" && age > 0 || name != "Age" && strings.Contains(strings.ToUpper(v), "HIT") {
				say.cached = name + ": " + v
			}
		}
		for _, line := range h["Set-Cookie"] {
			name, _, _ := strings.Cut(line, "=")
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(say.cookies, name) {
				say.cookies = append(say.cookies, name)
			}
		}
	}
	return say
}

// Admit says in the report what bends the ratio of what was measured, and takes a PASS back that rests on replies of a cache.
func (s *Site) Admit(r *verify.Report, e route.Entry, about *subject.Subject) {
	g := ""
	if about.Gateways != nil && len(about.Gateways.Pods) > 0 {
		g = about.Gateways.Pods[0].Namespace
	}
	r.Warnings = append(r.Warnings, Bends(e, about.Mesh, g)...)
	r.Warnings = append(r.Warnings, s.say.sticky(r, e)...)
	if s.say.cached != "" {
		message := "replies come from a cache (" + s.say.cached + "): they repeat the version that was drawn for somebody before"
		if r.Verdict == verdict.Pass.String() {
			r.Verdict = verdict.Inconclusive.String()
			r.Reasons = append([]report.Reason{{Code: CodeCached, Message: message + "; go around it with --address, or make each request its own with --vary"}}, r.Reasons...)
		} else {
			r.Warnings = append(r.Warnings, message)
		}
	}
	if strange := strangers(r, s.naming.labels); len(strange) > 0 {
		r.Warnings = append(r.Warnings, "replies also name "+strings.Join(strange, ", ")+", which are no destinations: where a service behind them is split as well, what is seen is the product of two splits")
	}
}

// strangers are versions that answered and are nobody's label.
func strangers(r *verify.Report, labels []string) (out []string) {
	for _, v := range r.Versions {
		if v.Requests > 0 && !slices.Contains(labels, v.Name) {
			out = append(out, v.Name)
		}
	}
	return out
}

// unlikely is how improbable it must be that a split with several shares gives one version all requests, before something else
// than chance is named.
const unlikely = 1e-6

// sticky says that clients may be drawn once and for all: by a cookie that an entry before this one looks at, or by whatever the
// gateway hashes.
func (say repliesSay) sticky(r *verify.Report, e route.Entry) []string {
	var list []string
	if before := e.ByCookie(); len(before) > 0 && len(say.cookies) > 0 {
		list = append(list, fmt.Sprintf("W_STICKY: replies set the cookies %s, and %s looks at cookies: who comes back with one is routed there; this load keeps none, so that it measures first visits",
			strings.Join(say.cookies, ", "), strings.Join(before, ", ")))
	}
	most, n, answered := 0.0, uint64(0), 0
	for _, v := range r.Versions {
		if v.Requests > 0 {
			answered, n = answered+1, n+v.Requests
			if v.Target != nil {
				most = *v.Target
			}
		}
	}
	if answered == 1 && most > 0 && most < 1 && float64(n)*math.Log(most) < math.Log(unlikely) {
		list = append(list, fmt.Sprintf("W_STICKY: all of %s requests got one version: where every gateway holds the weights, something draws for each client and not for each request (a hash of address, cookie or header); --vary makes clients differ",
			report.Count(n)))
	}
	return list
}
