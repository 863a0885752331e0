package report

import (
	"encoding/json"
	"strings"
	"testing"
)

// A verdict of several routes is the worst of them: what is known to be wrong outweighs what is not known.
func TestWorst(t *testing.T) {
	for _, tt := range []struct{ each, want string }{
		{"PASS PASS", "PASS"},
		{"PASS INCONCLUSIVE", "INCONCLUSIVE"},
		{"INCONCLUSIVE FAIL PASS", "FAIL"},
		{"PASS -", "INCONCLUSIVE"}, // one was not reached
		{"FAIL -", "FAIL"},
		{"- -", ""}, // nothing was measured: there is no verdict
	} {
		var routes []RouteReport
		for _, verdict := range strings.Fields(tt.each) {
			routes = append(routes, RouteReport{Verdict: strings.Trim(verdict, "-")})
		}
		if got := Worst(routes); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.each, got, tt.want)
		}
	}
}

func TestReportOfRoutes(t *testing.T) {
	if OfRoutes([]RouteReport{{Route: "http[0]"}}) != nil {
		t.Error("a report of nothing")
	}
	one := func(route, verdict string, requests uint64, outcomes map[string]uint64) RouteReport {
		return RouteReport{route, verdict, &Verification{StartedAt: "2026-01-01T00:00:00Z", Verdict: verdict, Confidence: 0.975, Outcomes: outcomes, Statuses: outcomes, UnattributedErrors: 1,
			Reasons:  []Reason{{Code: strings.ToLower(verdict), Message: "because"}},
			Requests: Requests{Sent: requests, Evidence: requests}, Load: Load{Requests: requests, Seconds: 2}}}
	}
	routes := []RouteReport{
		one("http[0] api", "PASS", 100, map[string]uint64{"2xx": 100}),
		one("http[1]", "FAIL", 50, map[string]uint64{"2xx": 20, "5xx": 30}),
		{Route: "http[2]"},
	}
	r := OfRoutes(routes)
	if r.Verdict != "FAIL" || len(r.Reasons) != 1 || r.Reasons[0] != (Reason{"fail", "http[1]: because"}) || r.Confidence != 0.95 ||
		r.Requests != (Requests{Sent: 150, Evidence: 150}) || r.Outcomes["2xx"] != 120 || r.Outcomes["5xx"] != 30 || r.Statuses["5xx"] != 30 || r.UnattributedErrors != 2 ||
		r.Load.RequestsPerSecond != 37.5 || len(r.Routes) != 3 {
		t.Errorf("got %+v", r)
	}
	own := *r
	own.Routes = nil
	text, err := json.Marshal(own)
	if err != nil || strings.Contains(string(text), "null") { // lists are lists, also where they are empty
		t.Errorf("%v, %s", err, text)
	}
	var b strings.Builder
	WriteRoutes(&b, routes, "the object")
	if got, want := b.String(), "\n  route         verdict\n  http[0] api      PASS\n  http[1]          FAIL\n  http[2]   not measured\n\nFAIL  1 of 3 routes; the object is as good as the worst of them (confidence 95 % of all together)\n"; strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
