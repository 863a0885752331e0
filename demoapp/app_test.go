package main

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, handler http.Handler, method, path, accept string) *http.Response {
	t.Helper()
	request := httptest.NewRequest(method, path, nil)
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, method, path, accept string
		kind, contains             string
	}{
		{"curl gets one line", "GET", "/", "*/*", "text/plain", "testing-app v2 (stage)\n"},
		{"a load generator that accepts nothing in particular gets it too", "GET", "/", "", "text/plain", "testing-app v2"},
		{"a browser gets the page", "GET", "/", chromium, "text/html", "<strong>v2</strong> in <strong>stage</strong>"},
		{"any path answers, so that routes by path can be tried", "GET", "/checkout/7", "", "text/plain", "testing-app v2"},
		{"any method answers", "POST", "/", "", "text/plain", "testing-app v2"},
		{"HEAD has the headers and no body", "HEAD", "/", "", "text/plain", ""},
	}
	a := newApp("v2", "stage")
	for _, tt := range tests {
		r := get(t, a, tt.method, tt.path, tt.accept)
		text := body(t, r)
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Type"), tt.kind) || !strings.Contains(text, tt.contains) ||
			(tt.contains == "") != (text == "") {
			t.Errorf("%s: %s %s gave %s, %s, %q; want 200, %s, %q", tt.name, tt.method, tt.path, r.Status,
				r.Header.Get("Content-Type"), text, tt.kind, tt.contains)
		}
		if v, d := r.Header.Get("x-app-version"), r.Header.Get("x-app-destination"); v != "v2" || d != "stage" {
			t.Errorf("%s: version %q, destination %q; want v2, stage", tt.name, v, d)
		}
	}
	if n := a.stats(); n.Requests != uint64(len(tests)) || n.ByStatus["200"] != n.Requests || n.InFlight != 0 {
		t.Errorf("after %d requests the stats are %+v", len(tests), n)
	}
}

func TestNoDestinationNoHeader(t *testing.T) {
	r := get(t, newApp("v1", ""), "GET", "/", "")
	if values, sent := r.Header["X-App-Destination"]; sent {
		t.Errorf("x-app-destination %q was sent though none is known", values)
	}
}

func TestProbes(t *testing.T) {
	a := newApp("v1", "prod")
	unready := noFaults()
	unready.Unready = true
	broken := noFaults()
	broken.ErrorRate = 1
	tests := []struct {
		name          string
		faults        *faults
		drain         bool
		health, ready int
	}{
		{"a healthy application is alive and ready", noFaults(), false, 200, 200},
		{"told to be unready it stays alive, or the kubelet would restart it", unready, false, 200, 503},
		{"errors do not touch the probes: a canary that fails its users still looks healthy", broken, false, 200, 200},
		{"draining is unready", noFaults(), true, 200, 503},
	}
	for _, tt := range tests {
		a.faults.Store(tt.faults)
		a.draining.Store(tt.drain)
		health, ready := get(t, a, "GET", "/healthz", "").StatusCode, get(t, a, "GET", "/readyz", "").StatusCode
		if health != tt.health || ready != tt.ready {
			t.Errorf("%s: healthz %d, readyz %d; want %d, %d", tt.name, health, ready, tt.health, tt.ready)
		}
	}
	if n := a.stats().Requests; n != 0 {
		t.Errorf("probes were counted as %d requests", n)
	}
}

func TestErrorRateSaysWhoFailed(t *testing.T) {
	a := newApp("v2", "stage")
	f := noFaults()
	f.ErrorRate, f.ErrorStatus = 1, 503
	a.faults.Store(f)
	r := get(t, a, "GET", "/", chromium)
	if r.StatusCode != 503 || r.Header.Get("x-app-version") != "v2" || a.stats().ByStatus["503"] != 1 {
		t.Errorf("got %s from %q, stats %+v; want 503 from v2, counted", r.Status, r.Header.Get("x-app-version"), a.stats())
	}
}

// The draw has no generator to seed, so its rate is a fact of the first n numbers, not a chance.
func TestFaultDraw(t *testing.T) {
	const n = 100_000
	for _, rate := range []float64{0, 0.001, 0.1, 0.5, 1} {
		f := &faults{ErrorRate: rate}
		hits := 0
		for number := range uint64(n) {
			if f.hits(number + 1) {
				hits++
			}
		}
		// Five standard deviations of a fair draw; 0 and 1 have none and must be exact.
		if slack := 5 * math.Sqrt(n*rate*(1-rate)); math.Abs(float64(hits)-n*rate) > slack {
			t.Errorf("rate %v: %d of %d requests fail, want %.0f ± %.0f", rate, hits, n, n*rate, slack)
		}
	}
}

func TestPageRunsOnlyItsOwnCode(t *testing.T) {
	r := get(t, newApp("v1", "prod"), "GET", "/", chromium)
	policy, page := r.Header.Get("Content-Security-Policy"), body(t, r)
	for _, want := range []string{"default-src 'none'", "connect-src 'self'", "script-src 'sha256-"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q misses %q", policy, want)
		}
	}
	for tag, source := range map[string]string{"style": pageStyle, "script": pageScript} {
		_, rest, _ := strings.Cut(page, "<"+tag+">")
		inside, _, closed := strings.Cut(rest, "</"+tag+">")
		if !closed || inside != source {
			t.Errorf("the page's <%s> is not the text that the policy's hash was made from", tag)
		}
	}
}

// Minimal work is a claim; net/http itself allocates a few times for each request, the application at most for the header
// map's growth.
func TestAnswerAllocations(t *testing.T) {
	a, w := newApp("v1", "prod"), &discard{header: make(http.Header, 8)}
	r := httptest.NewRequest("GET", "/", nil)
	if n := testing.AllocsPerRun(1000, func() { a.ServeHTTP(w, r) }); n > 0 {
		t.Errorf("an answer allocates %v times, want 0", n)
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
