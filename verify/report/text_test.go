package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mesh-split/mesh-split/verify/report"
)

var update = flag.Bool("update", false, "rewrite the golden files; read their diff before committing")

func ptr[T any](v T) *T { return &v }

// sample is a passed run at 70/30; each golden below changes what its story needs.
func sample() *report.Verification {
	latency := func(p50 float64) *report.Latency {
		return &report.Latency{P50: p50, P90: 2 * p50, P99: 4 * p50, Max: 9 * p50}
	}
	return &report.Verification{
		APIVersion: report.APIVersion, Kind: report.Kind, RunID: "0011223344556677", StartedAt: "2026-01-02T03:04:05Z",
		Verdict: "PASS", Confidence: 0.95, CertifiedWithin: ptr(0.0191),
		Versions: []report.Version{
			{Name: "v1", Target: ptr(0.7), Tolerance: ptr(0.02), Observed: 0.7031, Interval: &[2]float64{0.6831, 0.7191}, Requests: 3684, ErrorRateUpper: ptr(0.00213), Service: latency(0.0011)},
			{Name: "v2", Target: ptr(0.3), Tolerance: ptr(0.02), Observed: 0.2969, Interval: &[2]float64{0.2809, 0.3169}, Requests: 1556, ErrorRateUpper: ptr(0.0041), Service: latency(0.0012)},
		},
		Outcomes: map[string]uint64{"answered": 5490},
		Requests: report.Requests{Sent: 5490, Settling: 250, Evidence: 5240, Drained: 2},
		Load: report.Load{URL: "http://127.0.0.1:31380/", Host: "127.0.0.1:31380", Method: "GET", Engine: "portable", Protocol: "HTTP/1.1",
			Connections: 16, RateAsked: 250, Requests: 5240, Seconds: 20.96, RequestsPerSecond: 250},
		Connections: &report.Connections{Total: 16},
	}
}

var stories = []struct {
	name, reason string // the golden file, the deciding reason as verify/verdict words it
	change       func(r *report.Verification)
}{
	{"pass", "every version gets its target ± 2 points; no sign that one fails more than the other (confidence 95 %)", func(*report.Verification) {}},
	{"fail-split", "v2 got 15 %, not 30 ± 2 % (confidence 95 %)", func(r *report.Verification) { // half the gateways are stale
		r.Verdict, r.CertifiedWithin = "FAIL", ptr(0.18)
		r.Versions[0].Observed, r.Versions[1].Observed = 0.85, 0.15
		r.Connections.Differ = []report.Connection{{Slot: 1, Requests: 300, Shares: map[string]float64{"v1": 1}}, {Slot: 4, Requests: 100, Shares: map[string]float64{"v1": 0.9, "v2": 0.1}}}
	}},
	{"fail-errors", "v2 fails more than 5 %: 1556 of its 1556 requests (confidence 95 %)", func(r *report.Verification) { // v2 answers 500 to everyone
		r.Verdict = "FAIL"
		r.Versions[1].Errors, r.Versions[1].ErrorRateUpper = 1556, ptr(1.0)
	}},
	{"fail-zero", "v2 answered 3 of 5240 requests; its weight is 0", func(r *report.Verification) {
		r.Verdict = "FAIL"
		r.Versions[1].Target, r.Versions[1].Tolerance, r.Versions[1].Requests, r.Versions[1].Observed = ptr(0.0), ptr(0.0), 3, 0.00057
	}},
	{"wrong-host", "not one of 5240 requests brought back a version", func(r *report.Verification) {
		r.Verdict, r.Unattributed, r.CertifiedWithin = "INCONCLUSIVE", 5240, ptr(0.7) // which says nothing: no version was seen
		r.GatewayMade = map[string]uint64{"404": 5240}
	}},
	{"budget", "5240 requests did not show that v2 gets less than 32 %: about 3412 more are wanted; certified within 8.1 points", func(r *report.Verification) { // too short, and the generator was late
		r.Verdict, r.RequestsWanted, r.CertifiedWithin = "INCONCLUSIVE", ptr(uint64(3412)), ptr(0.081)
		r.Load.Limits = []report.Limit{{Code: "behind", Message: "the load fell behind its schedule: cause: connections", Remedy: "about 40 connections would keep the rate: --connections 40"}}
		r.Interrupted = true
	}},
	{"peers", "v2 got 15 %, not 30 ± 2 % (confidence 95 %)", func(r *report.Verification) { // one of two gateways behind a name is stale
		r.Verdict, r.CertifiedWithin = "FAIL", ptr(0.18)
		r.Versions[0].Observed, r.Versions[1].Observed = 0.85, 0.15
		r.Peers = []report.Peer{{Address: "10.0.0.1:80", Requests: 2620, Shares: map[string]float64{"v1": 0.701, "v2": 0.299}},
			{Address: "[fd00::2]:80", Requests: 2620, Errors: 3, Unattributed: 3, Shares: map[string]float64{"v1": 0.999}}}
	}},
	{"passive", "v2 got 19.9 %, not 30 ± 2 % (confidence 95 %)", func(r *report.Verification) { // nothing was sent, and nobody timed anything
		r.Verdict, r.CertifiedWithin, r.Load = "FAIL", ptr(0.11), report.Load{Engine: report.Passive, Requests: 5240, Seconds: 20}
		for i := range r.Versions {
			r.Versions[i].Service = nil
		}
	}},
}

func TestText(t *testing.T) {
	for _, story := range stories {
		r := sample()
		story.change(r)
		r.Reasons = []report.Reason{{Code: "story", Message: story.reason}}
		var b bytes.Buffer
		report.WriteText(&b, r)
		golden(t, story.name+".txt", b.Bytes())
	}
}

// Whoever answers may not write on the terminal: notes and reasons quote names and headers of replies.
func TestHostileReplies(t *testing.T) {
	const evil = "a\x1b[2J\u009b1A\nPASS  all is well"
	r := sample()
	r.Versions[0].Name, r.Warnings = evil, []string{"replies also name " + evil}
	r.Reasons = []report.Reason{{Code: "one", Message: evil}, {Code: "two", Message: evil}}
	r.Load.Limits = []report.Limit{{Code: "behind", Message: evil, Remedy: evil}}
	r.GatewayMade, r.Outcomes = map[string]uint64{evil: 1}, map[string]uint64{evil: 1, "answered": 5490}
	r.Examples, r.Statuses = map[string]string{evil: evil}, map[string]uint64{evil: 1}
	r.Peers = []report.Peer{{Address: evil, NeverSent: 1}, {Address: evil}}
	r.Load.Backoffs = []report.Backoff{{Cause: evil}}
	var b bytes.Buffer
	report.WriteText(&b, r)
	for line := range strings.Lines(b.String()) {
		if strings.ContainsAny(line, "\x1b\u009b") || strings.HasPrefix(line, "PASS  all") {
			t.Errorf("a reply wrote on the terminal: %q", line)
		}
	}
	if n := strings.Count(b.String(), `\x1b[2J`); n < 12 {
		t.Errorf("%d of what was said is shown:\n%s", n, b.String())
	}
}

// Of many addresses a person sees those that differ, and how many others there are.
func TestManyPeers(t *testing.T) {
	r := sample()
	for i := range 20 {
		r.Peers = append(r.Peers, report.Peer{Address: fmt.Sprintf("10.0.0.%d:80", i), Requests: 262, Shares: map[string]float64{"v1": 0.7, "v2": 0.3}})
	}
	r.Peers[17].Shares = map[string]float64{"v1": 1}
	var b bytes.Buffer
	report.WritePeers(&b, r)
	lines := strings.Split(b.String(), "\n")
	if !strings.Contains(lines[1], "10.0.0.17:80") || !strings.Contains(b.String(), "12 more addresses") {
		t.Errorf("the stale address is not first, or the rest is not counted:\n%s", b.String())
	}
}

func TestJSON(t *testing.T) {
	r := sample()
	r.Reasons = []report.Reason{{Code: "within-tolerance", Message: stories[0].reason}}
	var b bytes.Buffer
	if err := report.WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "pass.json", b.Bytes())
	var back report.Verification
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, &back); diff != "" {
		t.Errorf("the document does not read back (-written +read):\n%s", diff)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./verify/report -update rewrites it:\n%s", path, diff)
	}
}
