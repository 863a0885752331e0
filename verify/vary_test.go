package verify

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Each request has its own identity in every place that a template names; what stands around the tokens is kept.
func TestVary(t *testing.T) {
	whole := regexp.MustCompile(`^u-[0-9a-f-]{36} [0-9]{10}&c [0-9a-f]{16} \{"id":"[0-9a-f-]{36}","n":[0-9]{10}\} 00-[0-9a-f]{32}-[0-9a-f]{16}-01$`)
	var mu sync.Mutex
	seen := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		q := r.URL.Query()
		got := r.Header.Get("X-User") + " " + q.Get("page") + " " + q.Get("a b") + " " + string(body) + " " + r.Header.Get("Traceparent")
		mu.Lock()
		defer mu.Unlock()
		if !whole.MatchString(got) || seen[got] || q.Get("kept") != "1" {
			t.Errorf("a request says %q", got)
		}
		seen[got] = true
		w.Header().Set("x-app-version", "v1")
	}))
	defer s.Close()
	r, err := Run(t.Context(), Config{URL: s.URL + "/?kept=1", LoadOnly: true, MaxRequests: 300, Rate: Unpaced, ConnRequests: 50,
		Body: []byte(`{"id":"{uuid}","n":{n}}`),
		Vary: []string{"header:X-User=u-{uuid}", "query:page={n}&c", "query:a b={hex}", "body", "header:traceparent=00-{hex}{hex}-{hex}-01"}})
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock() // the detector of races sees no order in what raw sockets carry
	defer mu.Unlock()
	if r.Outcomes["answered"] != 300 || len(seen) != 300 {
		t.Errorf("outcomes %v, %d identities, want 300", r.Outcomes, len(seen))
	}
}

func TestVaryFaults(t *testing.T) {
	for _, term := range []string{"header:x-user=alice", "header:={uuid}", "cookie:x={n}", "body", "{uuid}", ""} {
		_, err := Run(t.Context(), Config{URL: "http://127.0.0.1:1/", LoadOnly: true, Vary: []string{term}})
		if err == nil || fault.ExitCode(err) != fault.Usage {
			t.Errorf("--vary %q: %v, want a usage error", term, err)
		}
	}
}
