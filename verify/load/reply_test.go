package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/verify/attribute"
)

// testMarks are those of Envoy.
var testMarks = (Plan{}).withDefaults().Marks

// cut says how to split octets into reads: the n-th read gets the n-th size, the last one the rest.
type cut func(octets []byte) [][]byte

func whole(b []byte) [][]byte { return [][]byte{b} }

func each(b []byte) (out [][]byte) {
	for i := range b {
		out = append(out, b[i:i+1])
	}
	return out
}

// parseReply runs a parser over a reply cut into reads and says everything that can be seen of the result.
func parseReply(p *Parser, head bool, reads [][]byte, end End) string {
	p.blanks, p.blank = 0, 0
	p.Begin(head)
	var left []byte
	over, surplus := false, false
	for _, r := range reads {
		if over {
			surplus = surplus || !p.Idle(r)
			continue
		}
		left = append(left, r...)
		var n int
		if n, over = p.Feed(left); over {
			surplus = n < len(left) && !p.Idle(left[n:])
		}
		left = left[n:]
	}
	if over {
		end = Done
	}
	return fmt.Sprintf("%v %d %q body=%d keep=%t", p.Outcome(end, false), p.Status(), p.Label(), p.BodyOctets(), p.Reusable() && !surplus)
}

func TestReply(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nx-app-version: v1\r\n"
	long := func(n int) string { return strings.Repeat("a", n) }
	for _, row := range []struct {
		name, reply string
		head        bool
		end         End
		want        string
	}{
		// Before the status line.
		{name: "eight octets of line ends", reply: "\r\n\n\r\n\n\r\n" + ok + "content-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "a ninth is too many", reply: "\r\n\r\n\r\n\r\n\n" + ok + "\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "CR alone is no line end", reply: "\r" + ok + "\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "line ends and then nothing are not a reply", reply: "\r\n", end: Closed, want: `reset 0 "" body=0 keep=false`},
		{name: "the same behind an interim reply is one that was cut", reply: "HTTP/1.1 103 Early\r\n\r\n\r\n", end: Closed, want: `truncated 0 "" body=0 keep=false`},
		{name: "one octet of a status line", reply: "H", end: Cut, want: `truncated 0 "" body=0 keep=false`},
		{name: "wrong in the fifth octet, seen at once", reply: "HTTPS", want: `malformed 0 "" body=0 keep=false`, end: Deadline},

		// Status line.
		{name: "minor 7 is 1.1", reply: "HTTP/1.7 200\r\nx-app-version: v1\r\ncontent-length:0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "code 999 is kept", reply: "HTTP/1.1 999 ?\r\nx-app-version: v1\r\ncontent-length:0\r\n\r\n", want: `answered 999 "v1" body=0 keep=true`},
		{name: "two spaces", reply: "HTTP/1.1  200 OK\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "four digits", reply: "HTTP/1.1 2000 OK\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "two digits of version", reply: "HTTP/1.10 200 OK\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "101 was not asked for", reply: "HTTP/1.1 101 Switching\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "sixteen interim heads", reply: strings.Repeat("HTTP/1.1 102 P\r\nx-app-version: v9\r\nconnection: close\r\n\r\n", 16) + ok + "content-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "a seventeenth", reply: strings.Repeat("HTTP/1.1 102 P\r\n\r\n", 17) + ok + "\r\n", want: `limit 0 "" body=0 keep=false`},

		// Fields.
		{name: "LF alone ends lines of a head", reply: "HTTP/1.1 200 OK\nx-app-version: v1\ncontent-length: 2\n\nok", want: `answered 200 "v1" body=2 keep=true`},
		{name: "space before the colon", reply: ok + "content-length : 0\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "empty name", reply: ok + ": 0\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "white space behind the status line", reply: "HTTP/1.1 200 OK\r\n x-app-version: v1\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "CR inside a value", reply: ok + "x: a\rb\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "NUL inside a value", reply: ok + "x: a\x00b\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "other controls are opaque", reply: ok + "x: a\x01\x7f\xffb\r\ncontent-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "a folded length", reply: ok + "content-length:\r\n\t 2 \r\n\r\nok", want: `answered 200 "v1" body=2 keep=true`},
		{name: "a fold makes two words", reply: ok + "content-length: 1\r\n 2\r\n\r\nok", want: `malformed 0 "" body=0 keep=false`},
		{name: "a folded label", reply: "HTTP/1.1 200 OK\r\nX-APP-VERSION: v1\r\n beta\r\ncontent-length: 0\r\n\r\n", want: `answered 200 "v1 beta" body=0 keep=true`},
		{name: "an unfinished bad line is not judged", reply: ok + "garbage", end: Closed, want: `truncated 0 "" body=0 keep=false`},
		{name: "a finished one is, though the head is not over", reply: ok + "garbage\r\n", end: Closed, want: `malformed 0 "" body=0 keep=false`},

		// Labels.
		{name: "a list of equal labels", reply: "HTTP/1.1 200 OK\r\nx-app-version: v1, ,v1\r\ncontent-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "128 octets", reply: "HTTP/1.1 200 OK\r\nx-app-version: " + long(128) + "\r\ncontent-length: 0\r\n\r\n", want: `answered 200 "` + long(128) + `" body=0 keep=true`},
		{name: "129 octets", reply: "HTTP/1.1 200 OK\r\nx-app-version: " + long(129) + "\r\ncontent-length: 0\r\n\r\n", want: `bad_label 200 "" body=0 keep=true`},
		{name: "not printable", reply: "HTTP/1.1 200 OK\r\nx-app-version: v\x7f\r\ncontent-length: 0\r\n\r\n", want: `bad_label 200 "" body=0 keep=true`},

		// No body.
		{name: "204 that announces one", reply: "HTTP/1.1 204 N\r\nx-app-version: v1\r\ncontent-length: 2\r\n\r\n", want: `answered 204 "v1" body=0 keep=false`},
		{name: "204 of length 0", reply: "HTTP/1.1 204 N\r\nx-app-version: v1\r\ncontent-length: 0\r\n\r\n", want: `answered 204 "v1" body=0 keep=true`},
		{name: "HEAD with framing that makes no sense", head: true, reply: ok + "content-length: x\r\ntransfer-encoding: chunked\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},

		// Transfer-Encoding.
		{name: "in a 1.0 reply", reply: "HTTP/1.0 200 OK\r\nx-app-version: v1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "chunked twice over two lines", reply: ok + "transfer-encoding: chunked\r\ntransfer-encoding: Chunked\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "chunked with a parameter", reply: ok + "transfer-encoding: chunked ;q=1\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "gzip, then chunked", reply: ok + "transfer-encoding: gzip,, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", want: `answered 200 "v1" body=1 keep=true`},
		{name: "chunked is not last", reply: ok + "transfer-encoding: chunked, gzip\r\n\r\nabc", end: Closed, want: `answered 200 "v1" body=3 keep=false`},
		{name: "empty", reply: ok + "transfer-encoding:\r\ncontent-length: 1\r\n\r\nabc", end: Closed, want: `answered 200 "v1" body=3 keep=false`},
		{name: "to close, but cut", reply: ok + "transfer-encoding: identity\r\n\r\nabc", end: Cut, want: `truncated 200 "v1" body=3 keep=false`},

		// Content-Length.
		{name: "repeated, equal as numbers", reply: ok + "content-length: 02\r\ncontent-length: 2,,002\r\n\r\nok", want: `answered 200 "v1" body=2 keep=true`},
		{name: "repeated, different", reply: ok + "content-length: 2\r\ncontent-length: 3\r\n\r\nok", want: `malformed 0 "" body=0 keep=false`},
		{name: "signed", reply: ok + "content-length: +5\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "empty", reply: ok + "content-length: ,\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},
		{name: "2^63-1", reply: ok + "content-length: 9223372036854775807\r\n\r\nok", end: Deadline, want: `timeout 200 "v1" body=2 keep=false`},
		{name: "2^63", reply: ok + "content-length: 9223372036854775808\r\n\r\n", want: `limit 0 "" body=0 keep=false`},
		{name: "2^64 and a letter", reply: ok + "content-length: 18446744073709551616x\r\n\r\n", want: `malformed 0 "" body=0 keep=false`},

		// Chunked.
		{name: "white space behind a size", reply: ok + "transfer-encoding: chunked\r\n\r\n2 \t\r\nok\r\n0\r\n\r\n", want: `answered 200 "v1" body=2 keep=true`},
		{name: "LF alone behind a size", reply: ok + "transfer-encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n", want: `malformed 200 "v1" body=0 keep=false`},
		{name: "LF alone behind data", reply: ok + "transfer-encoding: chunked\r\n\r\n2\r\nok\n0\r\n\r\n", want: `malformed 200 "v1" body=2 keep=false`},
		{name: "more data than announced", reply: ok + "transfer-encoding: chunked\r\n\r\n2\r\nokay\r\n0\r\n\r\n", want: `malformed 200 "v1" body=2 keep=false`},
		{name: "a size of 2^63", reply: ok + "transfer-encoding: chunked\r\n\r\n8000000000000000\r\n", want: `limit 200 "v1" body=0 keep=false`},
		{name: "a size of 2^64 and more zeros than fit", reply: ok + "transfer-encoding: chunked\r\n\r\n00000000000000000000000002\r\nok\r\n0\r\n\r\n", want: `answered 200 "v1" body=2 keep=true`},
		{name: "a trailer is no label, and no close", reply: ok + "transfer-encoding: chunked\r\n\r\n0\r\nx-app-version: v2\r\nconnection: close\r\n folded\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "a trailer ends in CRLF only", reply: ok + "transfer-encoding: chunked\r\n\r\n0\r\na: b\n\r\n", want: `malformed 200 "v1" body=0 keep=false`},
		{name: "closed before the last line", reply: ok + "transfer-encoding: chunked\r\n\r\n0\r\na: b\r\n", end: Closed, want: `truncated 200 "v1" body=0 keep=false`},
		{name: "a chunk line of 4096 octets", reply: ok + "transfer-encoding: chunked\r\n\r\n0;" + long(4092) + "\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "a chunk line of 4097", reply: ok + "transfer-encoding: chunked\r\n\r\n0;" + long(4093) + "\r\n\r\n", want: `limit 200 "v1" body=0 keep=false`},
		{name: "extensions without end", reply: ok + "transfer-encoding: chunked\r\n\r\n" + strings.Repeat("1;"+long(4000)+"\r\nx\r\n", 17), want: `limit 200 "v1" body=16 keep=false`},

		// Limits of a head.
		{name: "a line of 16384 octets", reply: ok + "x:" + long(16380) + "\r\ncontent-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "a line of 16385", reply: ok + "x:" + long(16381) + "\r\ncontent-length: 0\r\n\r\n", want: `limit 0 "" body=0 keep=false`},
		{name: "a line that never ends", reply: ok + "x:" + long(16383), end: Closed, want: `limit 0 "" body=0 keep=false`},
		{name: "a head of more than 65536", reply: ok + strings.Repeat("x:"+long(16000)+"\r\n", 4) + "x:" + long(1600) + "\r\n\r\n", want: `limit 0 "" body=0 keep=false`},
		{name: "256 fields", reply: ok + strings.Repeat("a: b\r\n", 254) + "content-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "257 fields", reply: ok + strings.Repeat("a: b\r\n", 255) + "content-length: 0\r\n\r\n", want: `limit 0 "" body=0 keep=false`},

		// Reuse.
		{name: "close among others, on the second line", reply: ok + "connection: x\r\nconnection: y , CLOSE\r\ncontent-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=false`},
		{name: "close as part of a word", reply: ok + "connection: close-notify\r\ncontent-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "line ends behind a reply", reply: ok + "content-length: 0\r\n\r\n\r\n\n", want: `answered 200 "v1" body=0 keep=true`},
		{name: "a second reply", reply: ok + "content-length: 0\r\n\r\n" + ok + "content-length: 0\r\n\r\n", want: `answered 200 "v1" body=0 keep=false`},
	} {
		p := NewParser(attribute.Rule{}, testMarks)
		for how, cut := range map[string]cut{"whole": whole, "octet by octet": each} {
			if got := parseReply(p, row.head, cut([]byte(row.reply)), row.end); got != row.want {
				t.Errorf("%s, %s:\n got %s\nwant %s", row.name, how, got, row.want)
			}
		}
	}
}

// A label is found wherever the rule says it stands.
func TestReplyRules(t *testing.T) {
	for _, row := range []struct{ rule, reply, want string }{
		{"status", "HTTP/1.1 503 No\r\nserver: envoy\r\ncontent-length: 0\r\n\r\n", `answered 503 "503" body=0 keep=true`},
		{"header:server", "HTTP/1.1 200 OK\r\nServer: envoy\r\ncontent-length: 0\r\n\r\n", `answered 200 "envoy" body=0 keep=true`},
		{"body:/version=(\\w+)/", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\na version\r\n4\r\n=v2;\r\n0\r\n\r\n", `answered 200 "v2" body=13 keep=true`},
		{"body:/version=(\\w+)/", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10\r\n\r\nversion=v2", `bad_label 200 "" body=10 keep=true`},
		{"json:/app/version", "HTTP/1.1 200 OK\r\ncontent-length: 31\r\n\r\n{\"a\":[1],\"app\":{\"version\":2.1}}", `answered 200 "2.1" body=31 keep=true`},
	} {
		rule, err := attribute.ParseRule(row.rule)
		if err != nil {
			t.Fatal(err)
		}
		p := NewParser(rule, testMarks)
		for how, cut := range map[string]cut{"whole": whole, "octet by octet": each} {
			if got := parseReply(p, false, cut([]byte(row.reply)), Closed); got != row.want {
				t.Errorf("%s, %s:\n got %s\nwant %s", row.rule, how, got, row.want)
			}
		}
	}
}

// The words of a fault help whoever pointed the load at the wrong port.
func TestReplyHints(t *testing.T) {
	p := NewParser(attribute.Rule{}, testMarks)
	parseReply(p, false, whole([]byte("\x15\x03\x01\x00\x02\x02F")), Closed)
	if want := "the reply is TLS; use https"; p.Why() != want {
		t.Errorf("a TLS alert: %q, want %q", p.Why(), want)
	}
}

const typicalReply = "HTTP/1.1 200 OK\r\nserver: istio-envoy\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\ncontent-type: text/plain\r\n" +
	"content-length: 12\r\nx-app-version: v2\r\nx-envoy-upstream-service-time: 1\r\n\r\nhello world\n"

func TestReplyAllocates(t *testing.T) {
	p := NewParser(attribute.Rule{}, testMarks)
	reply := []byte(typicalReply)
	if n := testing.AllocsPerRun(1000, func() {
		p.Begin(false)
		if _, done := p.Feed(reply); !done || p.Outcome(Done, true) != Answered {
			t.Fatal("not answered")
		}
	}); n != 0 {
		t.Errorf("%v allocations per reply, want 0", n)
	}
}

func BenchmarkReply(b *testing.B) {
	p := NewParser(attribute.Rule{}, testMarks)
	reply := []byte(typicalReply)
	b.SetBytes(int64(len(reply)))
	for b.Loop() {
		p.Begin(false)
		p.Feed(reply)
	}
}

// FuzzReply: the same octets mean the same however they are cut. The seeds are the replies of the vectors file.
func FuzzReply(f *testing.F) {
	data, err := os.ReadFile("../../testdata/vectors-http1.json")
	if err != nil {
		f.Fatal(err)
	}
	var cases []struct{ Segments []string }
	if err := json.Unmarshal(data, &cases); err != nil {
		f.Fatal(err)
	}
	for i, c := range cases {
		var octets []byte
		for _, r := range strings.Join(c.Segments, "") {
			octets = append(octets, byte(r))
		}
		f.Add(octets, uint64(i)*0x9e3779b97f4a7c15, false, uint8(i%5))
	}
	f.Fuzz(func(t *testing.T, octets []byte, cuts uint64, head bool, end uint8) {
		ends := End(end % 5)
		if ends == Done {
			ends = Closed
		}
		p := NewParser(attribute.Rule{}, testMarks)
		want := parseReply(p, head, whole(octets), ends)
		if got := parseReply(p, head, each(octets), ends); got != want {
			t.Errorf("octet by octet %s, whole %s", got, want)
		}
		if got := parseReply(p, head, pieces(octets, cuts), ends); got != want {
			t.Errorf("in pieces %s, whole %s", got, want)
		}
	})
}

// pieces cuts where the bits of cuts say, again and again.
func pieces(b []byte, cuts uint64) (out [][]byte) {
	from := 0
	for i := range b {
		if cuts>>(i%64)&1 == 1 {
			out = append(out, b[from:i])
			from = i
		}
	}
	return append(out, b[from:])
}

func TestLastRequest(t *testing.T) {
	p := &Plan{Request: []byte("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")}
	want := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
	if got := newMessage(p.Request, nil).last; !bytes.Equal(got, []byte(want)) {
		t.Errorf("got %q, want %q", got, want)
	}
}
