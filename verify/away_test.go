package verify_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mesh-split/mesh-split/verify"
)

// Somebody answers one request in n in place of the version that its header names: below a hundredth that is shown with the other
// 4xx, above it no PASS.
func TestTurnedAway(t *testing.T) {
	for _, tt := range []struct {
		status int
		every  uint64 // 0: never
		want   string
		says   string
	}{
		{403, 0, "PASS", ""},
		{403, 400, "PASS", ""},
		{403, 20, "INCONCLUSIVE", " of the replies are 403: somebody forbids it"},
		{401, 20, "INCONCLUSIVE", " of the replies are 401: somebody wants credentials"},
		{304, 20, "INCONCLUSIVE", " of the replies are 304: a cache says that nothing has changed"},
		{404, 20, "PASS", ""}, // a version's own answer
	} {
		gateway, _ := serve(t, "v1=50,v2=50")
		var n atomic.Uint64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-App-Version", gateway.draw())
			if tt.every > 0 && n.Add(1)%tt.every == 0 {
				w.WriteHeader(tt.status)
			}
		}))
		r, err := verify.Run(t.Context(), verify.Config{Target: split(t, "v1=50,v2=50"), Tolerance: tolerance(t, "10%"), URL: server.URL, Rate: 2000, MaxRequests: 4000})
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict != tt.want || tt.says != "" && (r.Reasons[0].Code != "turned-away" || !strings.Contains(r.Reasons[0].Message, tt.says)) {
			t.Errorf("one in %d is %d: %s %+v, want %s %q", tt.every, tt.status, r.Verdict, r.Reasons, tt.want, tt.says)
		}
	}
}
