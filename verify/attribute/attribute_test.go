package attribute

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/verify/fault"
)

func TestParseRule(t *testing.T) {
	for _, row := range []struct{ in, out, err string }{
		{in: "header:x-app-version", out: "header:x-app-version"},
		{in: "header:X-Version", out: "header:x-version"}, // names are case-insensitive, RFC 9112, 5
		{in: "status", out: "status"},
		{in: `body:/version: (\d+)/`, out: `body:/version: (\d+)/`},
		{in: "json:/app/version", out: "json:/app/version"},
		{in: "json:", out: "json:"}, // the whole document, RFC 6901, 5
		{in: "", err: `identify "": unknown kind ""`},
		{in: "cookie:v", err: `identify "cookie:v": unknown kind "cookie"`},
		{in: "header:", err: `identify "header:": "" is not a header name`},
		{in: "header:a b", err: `identify "header:a b": "a b" is not a header name`},
		{in: "status:200", err: `identify "status:200": status takes no argument`},
		{in: "body:version", err: `identify "body:version": the expression is not between slashes`},
		{in: "body:/(/", err: "identify \"body:/(/\": error parsing regexp: missing closing ): `(`"},
		{in: "body:/(a)(b)/", err: `identify "body:/(a)(b)/": more than one group`},
		{in: "json:app", err: `identify "json:app": "app" is not a JSON pointer (RFC 6901)`},
		{in: "json:/a~2", err: `identify "json:/a~2": "/a~2" is not a JSON pointer (RFC 6901)`},
	} {
		rule, err := ParseRule(row.in)
		if row.err != "" {
			if err == nil || err.Error() != row.err || fault.ExitCode(err) != fault.Usage {
				t.Errorf("ParseRule(%q): error %v, want the usage error %s", row.in, err, row.err)
			}
			continue
		}
		if err != nil || rule.String() != row.out {
			t.Errorf("ParseRule(%q) = %v, %v; want %s", row.in, rule, err, row.out)
		}
		text, _ := json.Marshal(rule)
		var again Rule
		if err := json.Unmarshal(text, &again); err != nil || again.String() != row.out {
			t.Errorf("%s as JSON is %s, read back as %v, %v", row.in, text, again, err)
		}
	}
}

func TestZeroRule(t *testing.T) {
	if r := (Rule{}); r.Header() != DefaultHeader || r.String() != "header:x-app-version" || r.NeedsBody() || r.Body() != nil {
		t.Errorf("the zero Rule is %v", r)
	}
}

func TestFromList(t *testing.T) {
	for _, row := range []struct {
		list, label string
		found       Found
	}{
		{"v1", "v1", Usable},
		{" v1 ,\t v1", "v1", Usable},
		{"v1,,v1,", "v1", Usable}, // empty elements are skipped, RFC 9110, 5.6.1
		{"v1 beta", "v1 beta", Usable},
		{"", "", Absent},
		{" , ,", "", Absent},
		{"v1,v2", "", Bad},
		{"v1,V1", "", Bad}, // labels are compared as they are
		{strings.Repeat("x", 128), strings.Repeat("x", 128), Usable},
		{strings.Repeat("x", 129), "", Bad},
		{"v\x1f", "", Bad},
		{"v\x80", "", Bad},
	} {
		label, found := FromList([]byte(row.list))
		if string(label) != row.label || found != row.found {
			t.Errorf("FromList(%q) = %q, %d; want %q, %d", row.list, label, found, row.label, row.found)
		}
	}
}

// find runs a rule over a body that arrives whole, and octet by octet; both must agree.
func find(t *testing.T, rule, body string) (string, Found) {
	t.Helper()
	r, err := ParseRule(rule)
	if err != nil {
		t.Fatal(err)
	}
	b := r.Body()
	b.Reset()
	b.Write([]byte("something of the reply before"))
	b.Reset()
	b.Write([]byte(body))
	label, found := b.Label()
	whole := string(label)
	b.Reset()
	for i := range len(body) {
		b.Write([]byte(body[i : i+1]))
	}
	if again, foundAgain := b.Label(); string(again) != whole || foundAgain != found {
		t.Errorf("%s in %q: whole %q, %d; octet by octet %q, %d", rule, body, whole, found, again, foundAgain)
	}
	return whole, found
}

func TestBody(t *testing.T) {
	for _, row := range []struct {
		rule, body, label string
		found             Found
	}{
		{`body:/version=(\w+)/`, "a version=v2 b", "v2", Usable},
		{`body:/v\d+/`, "this is v12, not v3", "v12", Usable},            // no group: the whole match, the first one
		{`body:/^v1/`, "not v1", "", Absent},                             // the prefix is there, the beginning is not
		{`body:/\bv1\b/`, "xv1 v1", "v1", Usable},                        //
		{`body:/a(b)?/`, "a", "", Absent},                                // the group took no part
		{`body:/version=(.*)/`, "version=\x01", "", Bad},                 //
		{`body:/v\d+/`, strings.Repeat("x", maxKept-2) + "v12", "", Bad}, // cut inside the match
		{`body:/v\d+/`, strings.Repeat("x", maxKept-2) + "v1", "v1", Usable},
		{`body:/end/`, strings.Repeat("x", maxKept) + "end", "", Absent}, // beyond what is kept
	} {
		if label, found := find(t, row.rule, row.body); label != row.label || found != row.found {
			t.Errorf("%s in %.40q: %q, %d; want %q, %d", row.rule, row.body, label, found, row.label, row.found)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, row := range []struct {
		rule, body, label string
		found             Found
	}{
		{"json:/version", `{"version":"v2"}`, "v2", Usable},
		{"json:/version", ` { "a" : {"version":"no"}, "version" : "v2" } `, "v2", Usable},
		{"json:/a/b", `{"a":{"x":[1,{"b":3}],"b":true}}`, "true", Usable},
		{"json:/a/1/v", `{"a":[{"v":1},{"w":0,"v":-2.5e3}]}`, "-2.5e3", Usable},
		{"json:", `"v1"`, "v1", Usable},
		{"json:", `17`, "17", Usable},
		{"json:", `null`, "", Absent},
		{"json:/a~1b/m~0n", `{"a/b":{"m~n":"v"}}`, "v", Usable},   // RFC 6901, 4
		{"json:/", `{"":"v"}`, "v", Usable},                       // the empty key
		{"json:/0", `["v"]`, "v", Usable},                         //
		{"json:/00", `["v"]`, "", Absent},                         // no leading zeros, RFC 6901, 4
		{"json:/1", `["v"]`, "", Absent},                          //
		{"json:/-", `["v"]`, "", Absent},                          // behind the last element
		{"json:/1", `{"1":"v"}`, "v", Usable},                     // also a key
		{"json:/0", `[]`, "", Absent},                             //
		{"json:/a", `{"a":"v1","a":"v2"}`, "v1", Usable},          // the first of equal keys
		{"json:/a/b", `{"a":{},"a":{"b":"v2"}}`, "", Absent},      // also when it does not have it
		{"json:/a/b", `{"a":7,"b":"v"}`, "", Absent},              // a scalar where the path goes on
		{"json:/a", `{"a":{"b":1}}`, "", Absent},                  // a container is no label
		{"json:/a", `{"a":null}`, "", Absent},                     //
		{"json:/a", `{"\u0061":"v\u0031\/\"x"}`, `v1/"x`, Usable}, //
		{"json:/a", `{"a":"\ud83d\ude00"}`, "", Bad},              // a label is printable ASCII
		{"json:/a", `{"a":"v1\ud800"}`, "", Bad},                  // half a pair is U+FFFD
		{"json:/a", `{"a":"\ud800v1"}`, "", Bad},                  //
		{"json:/a", `{"a":"\ud800\n"}`, "", Bad},                  //
		{"json:/\ufffdx", `{"\ud83d\ud83dx":1,"\udc00x":"v"}`, "v", Usable},
		{"json:/a", "\ufeff" + `{"a":"v1"}`, "v1", Usable}, // a byte order mark
		{"json:/\u00e9", `{"\u00e9":"v"}`, "v", Usable},    //
		{"json:/a", `{"a":"` + strings.Repeat("x", 129) + `"}`, "", Bad},
		{"json:/a", `{"a":""}`, "", Absent},
		{"json:/a", `not json`, "", Absent},
		{"json:/a", `{"a" "v"}`, "", Absent},
		{"json:/a", `{"b":1,"a":"v"`, "v", Usable}, // nothing behind the label is read
		{"json:/a", strings.Repeat("[", 600), "", Absent},
	} {
		if label, found := find(t, row.rule, row.body); label != row.label || found != row.found {
			t.Errorf("%s in %.60q: %q, %d; want %q, %d", row.rule, row.body, label, found, row.label, row.found)
		}
	}
}

// One finder reads reply after reply; nothing of one may reach the next, wherever it ended.
func TestJSONForgets(t *testing.T) {
	r, err := ParseRule("json:/a")
	if err != nil {
		t.Fatal(err)
	}
	b := r.Body()
	for _, before := range []string{`{"a":"v\ud800"}`, `{"a":"\u00`, `{"a":"\`, `{"a":[[[`, `{"a`, `{"b":{"a":1`, `{"a":"` + strings.Repeat("x", 300)} {
		b.Reset()
		b.Write([]byte(before))
		b.Reset()
		b.Write([]byte(`{"a":"v\u0031"}`))
		if label, found := b.Label(); string(label) != "v1" || found != Usable {
			t.Errorf("behind %.20q: %q, %d; want v1", before, label, found)
		}
	}
}

func TestBodyAllocates(t *testing.T) {
	for _, rule := range []string{"json:/app/version", "body:/no such text/"} {
		r, err := ParseRule(rule)
		if err != nil {
			t.Fatal(err)
		}
		b, body := r.Body(), []byte(`{"items":[1,2,3,"x"],"app":{"version":"v2"}}`)
		if n := testing.AllocsPerRun(100, func() { b.Reset(); b.Write(body); b.Label() }); n != 0 {
			t.Errorf("%s: %v allocations per body, want 0", rule, n)
		}
	}
}

// FuzzJSON: where the standard library finds a string at /a/b, the scanner finds the same, however the text is cut.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":{"b":"v1"}}`, `{"a":[0,{"b":1}],"b":{}}`, `{"a":{"c":[],"b":"\u0041"}}`, `[]`, `{"a":{"b":"x"},"a":1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, found := find(t, "json:/a/b", text)
		var doc struct{ A *struct{ B *string } }
		if !json.Valid([]byte(text)) || strings.Count(text, `"`) > 8 || json.Unmarshal([]byte(text), &doc) != nil || doc.A == nil || doc.A.B == nil {
			return // the library matches keys in any case and takes the last; with few keys that does not differ
		}
		if !strings.Contains(text, `"a"`) || !strings.Contains(text, `"b"`) || strings.Count(text, `:`) != 2 {
			return
		}
		if want, wantFound := Check([]byte(*doc.A.B)); string(want) != got || wantFound != found {
			t.Errorf("%q: %q, %d; the standard library %q", text, got, found, *doc.A.B)
		}
	})
}
