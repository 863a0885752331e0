package verify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/verdict"
)

// Ctrl-C before any reply is an interruption too, however the requests ended: status 130.
func TestInterruptedWithoutReply(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	defer server.Close()
	defer close(silent)
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, row := range []struct {
		name, url string
		only      bool
	}{{"in flight", server.URL, false}, {"in flight, only loading", server.URL, true}, {"nobody there", gone.URL, false}} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			abort := make(chan struct{})
			time.AfterFunc(40*time.Millisecond, func() { cancel(); close(abort) })
			r, err := verify.Run(ctx, verify.Config{Target: split(t, "v1=70,v2=30"), URL: row.url, LoadOnly: row.only, Rate: 1000, Abort: abort})
			code := fault.ExitCode(err)
			if err == nil {
				code = verify.ExitCode(r)
			}
			if code != fault.Interrupted {
				t.Errorf("status %d, want 130: %v", code, err)
			}
		})
	}
}

// A gateway that dies in the middle leaves what it had answered. A FAIL is proved by then; all else is INCONCLUSIVE, and says why
// and when. A gateway that never answered leaves an error.
func TestFarSideGone(t *testing.T) {
	for _, row := range []struct {
		name, target string
		only         bool
		answers      int64
		verdict      string
		first        string
	}{
		{"before anything is settled", "v1=70,v2=30", false, 300, "INCONCLUSIVE", verdict.CodeUnreachable},
		{"a FAIL is proved by then", "v1=0,v2=100", false, 60, "FAIL", verdict.CodeZeroWeight},
		{"a load only", "v1=70,v2=30", true, 300, "", ""},
		{"nothing was answered", "v1=70,v2=30", false, 0, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			gateway := &switchable{split: split(t, "v1=70,v2=30"), random: rand.New(rand.NewPCG(7, 8))}
			var answered atomic.Int64
			var server *httptest.Server
			server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				n := answered.Add(1)
				if n > row.answers {
					server.Listener.Close()
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("X-App-Version", gateway.draw())
			}))
			server.Start()
			defer server.Close()
			r, err := verify.Run(t.Context(), verify.Config{Target: split(t, row.target), URL: server.URL, LoadOnly: row.only, Rate: 1000, Connections: 4})
			if (err != nil) != (row.verdict == "") || err != nil && (fault.ExitCode(err) != fault.Failed || !strings.Contains(err.Error(), "connection refused")) {
				t.Errorf("error %v", err)
			}
			if (r == nil) != (row.answers == 0) {
				t.Fatalf("report %v", r)
			}
			if r == nil {
				return
			}
			if r.Verdict != row.verdict || row.verdict != "" && r.Reasons[0].Code != row.first || r.Outcomes["answered"] == 0 || r.Requests.Evidence == 0 {
				t.Errorf("verdict %q, reasons %+v, outcomes %v", r.Verdict, r.Reasons, r.Outcomes)
			}
			said := fmt.Sprint(r.Reasons)
			if row.verdict != "" && (!strings.Contains(said, "the load broke off "+report.Seconds(r.Load.Seconds)+" into the measurement") || !strings.Contains(said, "connection refused")) {
				t.Errorf("reasons %s do not say why and when", said)
			}
		})
	}
}
