package route

import (
	"net"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
	shown "github.com/mesh-split/mesh-split/verify/safe" // safe is a function here
)

// Probe is the request whose way through the gateway is asked for.
type Probe struct {
	Scheme  string              // http or https
	Host    string              // Host header, with its port where it has one
	SNI     string              // server name of TLS; empty is Host without port
	Port    int                 // server number in the Gateway (port of the gateway's Service); 0 is the scheme's
	Method  string              // empty is GET
	Path    string              // begins with /; without query
	Query   string              // raw, without ?
	Headers map[string][]string // names in any case
}

// ParseProbe makes a Probe of a URL, as which URL and --url take it.
func ParseProbe(text string) (Probe, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Probe{}, fault.Usagef("such as http://shop.example.com/api", "%s is not an http or https URL", shown.URL(text))
	}
	p := Probe{Scheme: u.Scheme, Host: u.Host, Path: u.EscapedPath(), Query: u.RawQuery}
	if p.Path == "" {
		p.Path = "/"
	}
	if port := u.Port(); port != "" {
		p.Port, _ = strconv.Atoi(port)
	}
	return p, nil
}

func (p Probe) port() int {
	switch {
	case p.Port != 0:
		return p.Port
	case p.Scheme == "https":
		return 443
	}
	return 80
}

// domain is the host that picks the virtual host: lower case, no port.
func (p Probe) domain() string { return strings.ToLower(withoutPort(p.Host)) }

func (p Probe) sni() string {
	if p.SNI != "" {
		return strings.ToLower(p.SNI)
	}
	return p.domain()
}

func withoutPort(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

func (p Probe) String() string {
	s := p.Scheme + "://" + p.Host + p.Path
	if p.Query != "" {
		s += "?" + p.Query
	}
	return printable(s)
}

func (p Probe) method() string {
	if p.Method == "" {
		return "GET"
	}
	return p.Method
}

// fits says whether a match item of a VirtualService fits the request, all its conditions together; why names the first
// one that does not, or that cannot be known.
func (p Probe) fits(match map[string]any) (result truth, why string) {
	result = yes
	note := func(t truth, what string) {
		if t < result {
			result, why = t, what
		}
	}
	if uri := dict(match, "uri"); uri != nil {
		note(p.fitsURI(uri, boolean(match, "ignoreUriCase")), "uri "+describe(uri))
	}
	for key, value := range map[string]string{"method": p.method(), "scheme": p.Scheme, "authority": p.Host} {
		if m := dict(match, key); m != nil {
			note(fitsString(m, value, true), key+" "+describe(m))
		}
	}
	for _, name := range keys(dict(match, "headers")) {
		m := dict(match, "headers", name)
		note(p.fitsHeader(name, m), "header "+printable(name)+" "+describe(m))
	}
	for _, name := range keys(dict(match, "withoutHeaders")) {
		m := dict(match, "withoutHeaders", name)
		note(p.withoutHeader(name, m), "without header "+printable(name)+" "+describe(m))
	}
	for _, name := range keys(dict(match, "queryParams")) {
		m := dict(match, "queryParams", name)
		note(p.fitsQuery(name, m), "query "+printable(name)+" "+describe(m))
	}
	return result, why
}

func keys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// describe is a string match for people.
func describe(m map[string]any) string {
	for _, kind := range []string{"exact", "prefix", "regex", segments} {
		if s, ok := m[kind].(string); ok {
			return kind + " " + strconv.Quote(s)
		}
	}
	return "present"
}

// present: a match without a kind, or the regex "*", which is none, is Envoy's present_match.
func isPresent(m map[string]any) bool {
	regex, ok := m["regex"].(string)
	return ok && (regex == "*" || regex == "") || m["exact"] == nil && m["prefix"] == nil && m["regex"] == nil
}

// fitsString evaluates exact, prefix and regex; a regex is RE2 and fits the whole value.
func fitsString(m map[string]any, value string, there bool) truth {
	if isPresent(m) {
		return truthOf(there)
	}
	if !there {
		return no
	}
	if s, ok := m["exact"].(string); ok {
		return truthOf(value == s)
	}
	if s, ok := m["prefix"].(string); ok {
		return truthOf(strings.HasPrefix(value, s))
	}
	s, ok := m["regex"].(string)
	if !ok {
		return unknown
	}
	return fitsRegex(s, value)
}

func fitsRegex(expression, value string) truth {
	r, err := regexp.Compile(`\A(?:` + expression + `)\z`)
	if err != nil {
		return unknown
	}
	return truthOf(r.MatchString(value))
}

// The escapes that gateways may undo before they route: slashes, backslashes, and characters that need none.
var odd = regexp.MustCompile(`//|/\.|\\|%(2[fFeEdD]|5[cCfF]|7[eE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA])`)

func (p Probe) fitsURI(m map[string]any, ignoreCase bool) truth {
	path := p.Path
	if str(m, "prefix") == "/" || m[segments] == "/" {
		return yes
	}
	if odd.MatchString(path) {
		return unknown // what Envoy compares depends on the mesh's path normalisation
	}
	if _, isRegex := m["regex"]; ignoreCase && !isRegex {
		folded := map[string]any{}
		for k, v := range m {
			s, _ := v.(string)
			folded[k] = strings.ToLower(s)
		}
		m, path = folded, strings.ToLower(path)
	}
	if regex, ok := m["regex"].(string); ok {
		return fitsRegex(regex, path)
	}
	if prefix, ok := m[segments].(string); ok {
		return truthOf(path == prefix || strings.HasPrefix(path, prefix+"/"))
	}
	return fitsString(m, path, true)
}

// segments is the kind of prefix that the Gateway API has: whole segments of the path. VirtualServices do not know it.
const segments = "segments"

// The headers that the gateway itself may add or change before it routes.
func addedByGateway(name string) bool {
	for _, prefix := range []string{"x-forwarded-", "x-envoy-", "x-request-id", "x-b3-", "traceparent", "tracestate"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// header gives a header's value as Envoy matches it: values of repeated headers are joined by commas.
func (p Probe) header(name string) (value string, there bool) {
	switch name {
	case ":authority", "host":
		return p.Host, true
	case ":method":
		return p.method(), true
	case ":scheme":
		return p.Scheme, true
	case ":path":
		if p.Query != "" {
			return p.Path + "?" + p.Query, true
		}
		return p.Path, true
	}
	for key, values := range p.Headers {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return strings.Join(values, ","), true
		}
	}
	return "", false
}

func (p Probe) fitsHeader(name string, m map[string]any) truth {
	name = strings.ToLower(name)
	if strings.HasPrefix(name, "@request.auth.") || addedByGateway(name) {
		return unknown
	}
	value, there := p.header(name)
	return fitsString(m, value, there)
}

// withoutHeader: the condition must not hold; a missing header counts as an empty one, except for mere presence.
func (p Probe) withoutHeader(name string, m map[string]any) truth {
	name = strings.ToLower(name)
	if strings.HasPrefix(name, "@request.auth.") || addedByGateway(name) {
		return unknown
	}
	value, there := p.header(name)
	return fitsString(m, value, there || !isPresent(m)).not()
}

func (p Probe) fitsQuery(name string, m map[string]any) truth {
	for _, pair := range strings.Split(p.Query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(key, "%+") {
			return unknown // what it decodes to depends on Envoy's version
		}
		if key != name || pair == "" {
			continue
		}
		if strings.ContainsAny(value, "%+") && !isPresent(m) {
			return unknown
		}
		return fitsString(m, value, true) // the first one counts
	}
	return no
}
