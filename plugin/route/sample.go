package route

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Sample is a request that fits a match item of an entry: a probe, and what was added to it for that.
type Sample struct {
	Probe Probe
	Added []string // header lines, "Name: value"
	Flags []string // what was added, as the flags that say it: "--path /api", "-H 'x-canary: yes'"
}

// Given says which parts of a probe a person chose. Those stay as they are, and so do the headers that a probe has.
type Given struct{ Path, Method, Host bool }

// Samples completes a probe so that it fits the entry: one sample for each match item behind the listener that it can be made
// to fit, in the items' order. A probe that contradicts every item comes back as it is: the decision then says what governs it.
// E_CHOOSE names the flag where only a person can say what fits, as with most regular expressions.
func (e Entry) Samples(p Probe, given Given, l Listener) ([]Sample, error) {
	matches := e.matches(l)
	if len(matches) == 0 {
		return []Sample{{Probe: p}}, nil
	}
	var out []Sample
	var lacks []lack
	for _, match := range matches {
		f := filling{Sample: Sample{Probe: p.copied()}, given: given, grpc: e.Kind() == "GRPCRoute"}
		f.fill(match)
		switch {
		case f.clash:
		case len(f.lacks) > 0:
			lacks = append(lacks, f.lacks...)
		default:
			out = append(out, f.Sample)
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case len(lacks) > 0:
		return nil, fault.Usagef("say it with "+lacks[0].flag, "no request follows from what %s matches: %s", e, lacks[0].why).Named("E_CHOOSE")
	}
	return []Sample{{Probe: p}}, nil
}

// matches are the entry's match items that become routes behind the listener.
func (e Entry) matches(l Listener) []map[string]any {
	switch e.Section {
	case HTTP:
		if roots := e.roots(); len(roots) > 0 {
			return e.merged(roots, l)
		}
		return slices.DeleteFunc(dicts(e.Raw, "match"), func(m map[string]any) bool { return !l.admits(m, e.Namespace()) })
	case Rules:
		var out []map[string]any
		for _, m := range dicts(e.Raw, "matches") {
			out = append(out, translateMatch(e.Object, m))
		}
		return out
	}
	return nil
}

func (p Probe) copied() Probe {
	headers := map[string][]string{}
	for k, v := range p.Headers {
		headers[k] = v
	}
	p.Headers = headers
	return p
}

// lack is a condition that only a person can meet.
type lack struct{ flag, why string }

// filling is a sample in the making.
type filling struct {
	Sample
	given Given
	grpc  bool
	path  bool // path or query were added
	clash bool // what was given does not fit
	lacks []lack
}

func (f *filling) fill(match map[string]any) {
	p := &f.Probe
	f.fillPath(match)
	if m := dict(match, "method"); m != nil && fitsString(m, p.method(), true) == no {
		f.fillMethod(m)
	}
	if m := dict(match, "authority"); m != nil && fitsString(m, p.Host, true) == no {
		switch host, ok := m["exact"].(string); {
		case f.given.Host:
			f.clash = true
		case ok:
			p.Host = host
			f.Flags = append(f.Flags, "--host "+printable(host))
		default:
			f.lack("--host HOST", "authority "+describe(m))
		}
	}
	if m := dict(match, "scheme"); m != nil && fitsString(m, p.Scheme, true) == no {
		f.clash = true
	}
	for _, name := range keys(dict(match, "headers")) {
		f.fillHeader(name, dict(match, "headers", name))
	}
	for _, name := range keys(dict(match, "withoutHeaders")) {
		f.clash = f.clash || p.withoutHeader(name, dict(match, "withoutHeaders", name)) == no
	}
}

func (f *filling) lack(flag, why string) { f.lacks = append(f.lacks, lack{flag, why}) }

// fillPath settles path and query. A gRPC method is never called that nobody named: even an empty message may do something.
func (f *filling) fillPath(match map[string]any) {
	p := &f.Probe
	if uri := dict(match, "uri"); uri != nil && p.fitsURI(uri, boolean(match, "ignoreUriCase")) == no {
		path, ok := example(uri)
		switch {
		case f.given.Path:
			f.clash = true
		case f.grpc && ok && strings.Count(path, "/") == 2:
			f.lack("--grpc="+printable(strings.TrimPrefix(path, "/")), "method "+describe(uri))
		case f.grpc:
			f.lack("--grpc=PACKAGE.SERVICE/METHOD", "method "+describe(uri))
		case !ok || !strings.HasPrefix(path, "/"):
			f.lack("--path /PATH", "uri "+describe(uri))
		default:
			p.Path, f.path = path, true
		}
	}
	for _, name := range keys(dict(match, "queryParams")) {
		m := dict(match, "queryParams", name)
		if p.fitsQuery(name, m) != no {
			continue
		}
		value, ok := example(m)
		switch {
		case f.given.Path:
			f.clash = true
			continue
		case !ok:
			f.lack("--path '/PATH?"+printable(name)+"=VALUE'", "query "+printable(name)+" "+describe(m))
			continue
		}
		if p.Query != "" {
			p.Query += "&"
		}
		p.Query += url.QueryEscape(name) + "=" + url.QueryEscape(value)
		f.path = true
	}
	if f.path {
		flag := p.Path
		if p.Query != "" {
			flag = "'" + p.Path + "?" + p.Query + "'"
		}
		f.Flags = append(f.Flags, "--path "+printable(flag))
	}
}

// The methods that change nothing where they are sent: only they are sent unasked.
// https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1
var safeMethods = []string{"GET", "HEAD", "OPTIONS"}

func (f *filling) fillMethod(m map[string]any) {
	if f.given.Method {
		f.clash = true
		return
	}
	for _, method := range safeMethods {
		if fitsString(m, method, true) == yes {
			f.Probe.Method = method
			f.Flags = append(f.Flags, "-X "+method)
			return
		}
	}
	method, ok := example(m)
	if !ok || method == "" {
		method = "METHOD"
	}
	f.lack("-X "+printable(method), "method "+describe(m)+", which is not sent unasked")
}

// Headers whose values are secrets: they are sent, and never shown.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie"}

func (f *filling) fillHeader(name string, m map[string]any) {
	p := &f.Probe
	if p.fitsHeader(name, m) != no { // fits, or cannot be known
		return
	}
	_, there := p.header(strings.ToLower(name))
	value, ok := example(m)
	switch {
	case there:
		f.clash = true
	case !ok || strings.ContainsAny(name+value, "\r\n"):
		f.lack("-H '"+printable(name)+": VALUE'", "header "+printable(name)+" "+describe(m))
	default:
		if value == "" {
			value = "1" // to be there is enough
		}
		p.Headers[name] = []string{value}
		f.Added = append(f.Added, name+": "+value)
		if slices.Contains(secretHeaders, strings.ToLower(name)) {
			value = "…"
		}
		f.Flags = append(f.Flags, fmt.Sprintf("-H '%s'", printable(name+": "+value)))
	}
}

// example is a value that a string match takes; "" where presence is enough. Of a regular expression it is the literal text that
// it begins with, where that alone fits.
func example(m map[string]any) (value string, ok bool) {
	for _, kind := range []string{"exact", "prefix", segments} {
		if s, ok := m[kind].(string); ok {
			return s, true
		}
	}
	if isPresent(m) {
		return "", true
	}
	expression, _ := m["regex"].(string)
	r, err := regexp.Compile(expression)
	if err != nil {
		return "", false
	}
	literal, whole := r.LiteralPrefix()
	return literal, whole || literal != "" && fitsRegex(expression, literal) == yes
}
