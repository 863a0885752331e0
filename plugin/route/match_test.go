package route_test

import (
	"fmt"
	"testing"
)

// Each row is one match item in front of a default entry: http[0] governs, http[1] does, or it cannot be known.
func TestMatch(t *testing.T) {
	const u = "http://shop.example.com"
	for _, tc := range []struct {
		match, url, header string
		want               string // "0", "1" or "?"
	}{
		{`uri: {exact: /a}`, u + "/a", "", "0"},
		{`uri: {exact: /a}`, u + "/a?x=1", "", "0"}, // the path without query
		{`uri: {exact: /a}`, u + "/a/", "", "1"},
		{`uri: {exact: /A}`, u + "/a", "", "1"},
		{`uri: {exact: /A}, ignoreUriCase: true`, u + "/a", "", "0"},
		{`uri: {regex: "/[ab]"}`, u + "/a", "", "0"},
		{`uri: {regex: "/[ab]"}`, u + "/ax", "", "1"}, // anchored at both ends
		{`uri: {regex: "/a|/b"}`, u + "/bx", "", "1"}, // also across alternatives
		{`uri: {regex: "/A"}, ignoreUriCase: true`, u + "/a", "", "1"},
		{`uri: {regex: "("}`, u + "/a", "", "?"}, // uncompilable
		{`uri: {prefix: /a}`, u + "/x/../a", "", "?"},
		{`uri: {prefix: /a}`, u + "//a", "", "?"},
		{`uri: {prefix: /a}`, u + "/%61", "", "?"}, // Envoy may decode it
		{`uri: {prefix: /a}`, u + "/a%20b", "", "0"},
		{`method: {exact: GET}`, u + "/", "", "0"},
		{`method: {regex: "POST|PUT"}`, u + "/", "", "1"},
		{`scheme: {exact: https}`, u + "/", "", "1"},
		{`authority: {exact: shop.example.com}`, u + "/", "", "0"},
		{`authority: {exact: shop.example.com}`, u + ":80/", "", "1"}, // with the port
		{`headers: {x: {exact: a}}`, u + "/", "X: a", "0"},
		{`headers: {x: {exact: a}}`, u + "/", "X: A", "1"},
		{`headers: {x: {}}`, u + "/", "X: b", "0"}, // presence
		{`headers: {x: {}}`, u + "/", "", "1"},
		{`headers: {x: {regex: "*"}}`, u + "/", "X: b", "0"}, // no regex, but presence
		{`headers: {x: {regex: ".*"}}`, u + "/", "", "1"},
		{`headers: {x: {prefix: a}}`, u + "/", "X: ab", "0"},
		{`headers: {x-forwarded-for: {exact: a}}`, u + "/", "X-Forwarded-For: a", "?"}, // the gateway writes it
		{`headers: {"@request.auth.claims[a]": {exact: b}}`, u + "/", "", "?"},
		{`withoutHeaders: {x: {exact: a}}`, u + "/", "X: b", "0"},
		{`withoutHeaders: {x: {exact: a}}`, u + "/", "X: a", "1"},
		{`withoutHeaders: {x: {exact: a}}`, u + "/", "", "0"}, // missing is not a
		{`withoutHeaders: {x: {}}`, u + "/", "", "0"},
		{`withoutHeaders: {x: {}}`, u + "/", "X: a", "1"},
		{`withoutHeaders: {x: {exact: ""}}`, u + "/", "", "1"}, // missing counts as empty
		{`queryParams: {q: {exact: a}}`, u + "/?p=1&q=a", "", "0"},
		{`queryParams: {q: {exact: a}}`, u + "/?q=b&q=a", "", "1"}, // the first one counts
		{`queryParams: {q: {}}`, u + "/?q", "", "0"},
		{`queryParams: {q: {exact: "a b"}}`, u + "/?q=a+b", "", "?"},
		{`uri: {prefix: /b}, headers: {"@request.auth.claims.a": {exact: b}}`, u + "/a", "", "1"}, // a no beats an unknown
		{`uri: {prefix: /a}, headers: {x: {exact: a}}`, u + "/a", "", "1"},                        // all conditions together
		{`uri: {prefix: /x}}, {uri: {prefix: /a}`, u + "/a", "", "0"},                             // any item
	} {
		g := governCase{id: fmt.Sprintf("%s for %s %s", tc.match, tc.url, tc.header), url: tc.url, header: tc.header,
			objects: append(gateway(plainServer), vs("shop/web", "10:00", shop+`http: [{match: [{`+tc.match+`}], `+split+`}, {`+even+`}]`))}
		switch tc.want {
		case "?":
			g.err = "E_MATCH_UNKNOWN"
		default:
			g.governs = "shop/web http[" + tc.want + "]"
		}
		g.run(t)
	}
}
