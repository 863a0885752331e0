package verify_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// switchable draws versions as a gateway does and can change its weights at a moment: the real Envoy's tests stand in the
// sandbox, but only here is the moment known to the microsecond.
type switchable struct {
	mutex  sync.Mutex // guards all below
	split  verify.Split
	random *rand.Rand
}

func (s *switchable) set(split string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.split, _ = verify.ParseSplit(split)
}

func (s *switchable) draw() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	x := s.random.Float64()
	for _, name := range s.split.Names() {
		if x -= s.split.Share(name); x < 0 {
			return name
		}
	}
	return s.split.Names()[0]
}

func serve(t *testing.T, split string) (*switchable, string) {
	t.Helper()
	s := &switchable{random: rand.New(rand.NewPCG(7, 8))}
	s.set(split)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-App-Version", s.draw())
	}))
	t.Cleanup(server.Close)
	return s, server.URL
}

func split(t *testing.T, text string) verify.Split {
	t.Helper()
	s, err := verify.ParseSplit(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A change is made while traffic runs, becomes live 150 ms later, and only the traffic can tell.
func TestChangeIsTimedByTraffic(t *testing.T) {
	const delay = 150 * time.Millisecond
	gateway, url := serve(t, "v1=90,v2=10")
	r, err := verify.Run(t.Context(), verify.Config{
		Target: split(t, "v1=50,v2=50"), URL: url, Rate: 2000, Connections: 8, MaxRequests: 40_000, MaxTime: 20 * time.Second,
		Change: &verify.Change{From: split(t, "v1=90,v2=10"), Apply: func(context.Context) (time.Time, error) {
			time.AfterFunc(delay, func() { gateway.set("v1=50,v2=50") })
			return time.Now(), nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != "PASS" {
		t.Errorf("verdict %s, want PASS: the old weights may not be evidence\n%+v", r.Verdict, r.Reasons)
	}
	traffic := r.Propagation.Traffic
	if traffic.Moved != 8 || traffic.Timed < 4 || math.Abs(traffic.Median-delay.Seconds()) > 0.06 {
		t.Errorf("the traffic shows %+v, want 8 connections moved, the median within 60 ms of %v", *traffic, delay)
	}
}

// A gateway that takes long is waited for without sending: the evidence has three quarters of the requests left, and what
// went wrong is said as what it is, never as an interruption.
func TestLateGateway(t *testing.T) {
	for _, row := range []struct {
		name string
		live error // what comes of waiting, after the traffic's allowance of 1.25 s
	}{
		{"live in the end", nil},
		{"never live", fault.New(fault.Inconclusive, "", "not live in time")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			gateway, url := serve(t, "v1=90,v2=10")
			r, err := verify.Run(t.Context(), verify.Config{
				Target: split(t, "v1=50,v2=50"), Tolerance: tolerance(t, "5%"), URL: url, Rate: 2000, Connections: 8, MaxRequests: 10_000,
				Change: &verify.Change{From: split(t, "v1=90,v2=10"),
					Apply: func(context.Context) (time.Time, error) { return time.Now(), nil },
					Live: func(ctx context.Context) error {
						select {
						case <-time.After(3 * time.Second):
						case <-ctx.Done():
							return ctx.Err()
						}
						gateway.set("v1=50,v2=50")
						return row.live
					}},
			})
			if row.live != nil {
				if !errors.Is(err, row.live) {
					t.Errorf("got %v, want %v", err, row.live)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var ended uint64
			for _, n := range r.Outcomes {
				ended += n
			}
			if r.Verdict != "PASS" || r.Requests.Settling < 2000 || r.Requests.Settling > 4000 || ended != r.Requests.Sent || r.Requests.Sent > 10_000 {
				t.Errorf("%s, %+v, outcomes %v; want PASS after 2 500 requests of settling", r.Verdict, r.Requests, r.Outcomes)
			}
		})
	}
}

// An edit that is refused is the caller's error, whole, and nothing is judged.
func TestChangeThatFails(t *testing.T) {
	_, url := serve(t, "v1=100,v2=0")
	refused := fault.New(fault.Refused, "", "admission webhook denied the request")
	r, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=70,v2=30"), URL: url,
		Change: &verify.Change{From: split(t, "v1=100,v2=0"), Apply: func(context.Context) (time.Time, error) { return time.Time{}, refused }}})
	if !errors.Is(err, refused) || r != nil {
		t.Errorf("got %v and report %v, want the refusal and none", err, r)
	}
}

// Ctrl-C: what was sent is awaited, judged and said; status 130.
func TestInterruptedRunReports(t *testing.T) {
	_, url := serve(t, "v1=70,v2=30")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	r, err := verify.Run(ctx, verify.Config{Target: split(t, "v1=70,v2=30"), URL: url, Rate: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || r.Verdict == "PASS" || verify.ExitCode(r) != fault.Interrupted || r.Requests.Evidence != r.Requests.Sent {
		t.Errorf("interrupted %v, verdict %s, %+v; want all sent requests as evidence and status 130", r.Interrupted, r.Verdict, r.Requests)
	}
}

// Nothing is sent to an address that was not announced first.
func TestAnnouncedBeforeSent(t *testing.T) {
	var announced atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !announced.Load() {
			t.Error("a request came before the announcement")
		}
		if r.Header.Get("X-Mesh-Split-Run") == "" || r.Header.Get("Traceparent") == "" || r.UserAgent()[:11] != "mesh-split/" {
			t.Errorf("the request does not say who it is: %v", r.Header)
		}
		w.Header().Set("X-App-Version", "v1")
	}))
	defer server.Close()
	_, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=1"), URL: server.URL, Rate: 500, MaxRequests: 50,
		Announce: func(l report.Load, _ verify.Plan) { announced.Store(l.URL == server.URL && len(l.Addresses) == 1) }})
	if err != nil {
		t.Fatal(err)
	}
}

// A watch goes on after the PASS, says nothing while the split holds, and ends in FAIL soon after it is lost.
func TestWatchSeesTheSplitEnd(t *testing.T) {
	gateway, url := serve(t, "v1=50,v2=50")
	time.AfterFunc(2500*time.Millisecond, func() { gateway.set("v1=10,v2=90") })
	r, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=50,v2=50"), URL: url, Rate: 3000, Watch: 20 * time.Second,
		Tolerance: tolerance(t, "10%")})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != "FAIL" || r.Watched < 0.5 || r.Watched > 10 {
		t.Errorf("verdict %s after watching %.1f s, want FAIL soon after 2.5 s: %+v", r.Verdict, r.Watched, r.Reasons)
	}
}

// A watch with an end and nothing to see ends as it began: PASS.
func TestWatchEndsWithPass(t *testing.T) {
	_, url := serve(t, "v1=50,v2=50")
	r, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=50,v2=50"), URL: url, Rate: 2000, Watch: time.Second,
		Tolerance: tolerance(t, "10%"), MaxRequests: 1500})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != "PASS" || r.Watched < 0.9 || r.Requests.Sent < 2000 {
		t.Errorf("verdict %s after watching %.1f s and %d requests, want PASS after 1 s", r.Verdict, r.Watched, r.Requests.Sent)
	}
}

func tolerance(t *testing.T, text string) verify.Tolerance {
	t.Helper()
	tolerance, err := verify.ParseTolerance(text)
	if err != nil {
		t.Fatal(err)
	}
	return tolerance
}

// Every fault of a Config is said at once.
func TestValidateSaysEverything(t *testing.T) {
	err := verify.Config{URL: "ftp://x", Confidence: 0.2, Rate: -1, MaxTime: -1}.Validate()
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 5 || fault.ExitCode(err) != fault.Usage {
		t.Errorf("got %v; want five usage errors: url, target, confidence, rate, time", err)
	}
}

// One of two gateways behind a name is stale: its address shows it, and the shares of each are what that one answered.
func TestPeers(t *testing.T) {
	_, fresh := serve(t, "v1=70,v2=30")
	_, stale := serve(t, "v1=100,v2=0")
	addresses := []string{strings.TrimPrefix(fresh, "http://"), strings.TrimPrefix(stale, "http://")}
	r, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=70,v2=30"), URL: fresh, Addresses: addresses, Rate: 5000, MaxRequests: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Peers) != 2 {
		t.Fatalf("peers %+v, want both addresses", r.Peers)
	}
	var sum uint64
	for _, p := range r.Peers {
		sum += p.Requests
		if want := map[string]float64{addresses[0]: 0.3, addresses[1]: 0}[p.Address]; math.Abs(p.Shares["v2"]-want) > 0.08 {
			t.Errorf("%s gave v2 %.3f of %d, want %.1f", p.Address, p.Shares["v2"], p.Requests, want)
		}
	}
	if sum != r.Requests.Evidence {
		t.Errorf("the addresses sum up to %d requests, the evidence is %d", sum, r.Requests.Evidence)
	}
}
