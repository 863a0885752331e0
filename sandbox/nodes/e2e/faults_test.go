//go:build linux

package e2e

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// report is what these tests read of a VerificationReport.
type report struct {
	Verdict        string
	Outcomes       map[string]int
	GatewayReplies map[string]int
	Versions       []struct {
		Name             string
		Requests, Errors int
	}
}

func parse(t *testing.T, text string) report {
	t.Helper()
	var r report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("reading a report: %v\n%s", err, text)
	}
	return r
}

// failed counts everything that a user would call an error: requests without a reply of the application, and error replies
// of a version. Outcomes are of all requests, while a change settled too; errors are of the evidence.
func (r report) failed() int {
	var all int
	for outcome, n := range r.Outcomes {
		if outcome != "answered" {
			all += n
		}
	}
	for _, v := range r.Versions {
		all += v.Errors
	}
	return all
}

// sent counts all requests.
func (r report) sent() int {
	var all int
	for _, n := range r.Outcomes {
		all += n
	}
	return all
}

// under runs load through the gateway while do runs, and returns the load's report.
func (w world) under(t *testing.T, seconds string, do func()) report {
	t.Helper()
	end := w.begin(t, "", "mesh-verify", "load", w.GatewayURL(), "--max-time", seconds, "--rate", "250", "--max-requests", "100000", "-o", "json")
	time.Sleep(time.Second) // the load is under way
	do()
	o := end()
	if o.code != 0 {
		t.Fatalf("load: exit %d", o.code)
	}
	return parse(t, o.stdout)
}

// Users are on stage. The page's two switches are measured each by its own load; here one load runs across both.
func blueGreen(t *testing.T, w world) {
	w.walk(t, "Blue/green")
	r := w.under(t, "8s", func() {
		w.plugin(t, []int{0}, "set", "demoapp", "prod=100")
		time.Sleep(time.Second)
		w.plugin(t, []int{0}, "set", "demoapp", "stage=100")
	})
	seen := map[string]int{}
	for _, v := range r.Versions {
		seen[v.Name] = v.Requests
	}
	if r.failed() != 0 || r.sent() < 1000 || seen["v1"] == 0 || seen["v2"] == 0 {
		t.Errorf("two flips under load: %d of %d requests failed (%v), want 0; versions %v", r.failed(), r.sent(), r.Outcomes, seen)
	}
	t.Logf("two flips, %d requests, %d failed", r.sent(), r.failed())
}

// The control of every PASS above: a split that users do not get is a FAIL.
func wrongSplit(t *testing.T, w world) {
	w.plugin(t, []int{0}, "set", "demoapp", "stage=30")
	o := w.run(t, "mesh-verify", w.GatewayURL(), "--expect", "v1=50,v2=50", "--confidence", "99.9%")
	if o.code != 3 || !strings.Contains(o.stdout, "FAIL") {
		t.Errorf("70/30 measured against 50/50: exit %d, want 3 and FAIL", o.code)
	}
}

// The gateway is killed where it stands, then its pod is deleted. What is measured before and after is the same split, so
// nothing but PASS or, with too many broken requests, INCONCLUSIVE may be said; and it is said, in time, though a gateway
// that the run knew is gone. The broken requests are counted.
func gatewayDies(t *testing.T, w world) {
	end := w.begin(t, "✓ live", "kubectl", append(append([]string{"mesh-split", "set", "demoapp", "stage=40", "--verify", "-o", "json"}, sure...), "--rate", "400")...)
	time.Sleep(2 * time.Second) // the evidence has begun
	pod := w.field(t, "istio-system", "pods -l istio=ingressgateway", "{.items[0].metadata.name}")
	if err := w.Crash(t.Context(), w.field(t, "istio-system", "pod "+pod, "{.status.containerStatuses[0].containerID}")); err != nil {
		t.Error(err)
	}
	w.must(t, "kubectl", "delete", "pod", "-n", "istio-system", pod, "--grace-period=0", "--force")
	o := end()
	if o.code != 0 && o.code != 4 {
		t.Errorf("set --verify while a gateway dies: exit %d, want 0 or 4", o.code)
	}
	var change struct{ Verification report }
	if err := json.Unmarshal([]byte(o.stdout), &change); err != nil {
		t.Fatal(err)
	}
	if r := change.Verification; r.failed() == 0 {
		t.Errorf("a gateway was killed under load and none of %d requests broke: not noticed (%v)", r.sent(), r.Outcomes)
	} else {
		t.Logf("%s; %d of %d requests broke: %v", r.Verdict, r.failed(), r.sent(), r.Outcomes)
	}
	w.must(t, "kubectl", "rollout", "status", "-n", "istio-system", "deployment/istio-ingressgateway", "--timeout=60s")
	w.set(t, "stage=40") // with the new pod everything is as before
}

// Preflight refuses to send users where nobody is. With --skip-check the share of 503 is the canary's share, and no PASS. The
// page shows both; here the 503s are counted a second time, by nobody of ours.
func noEndpoints(t *testing.T, w world) {
	defer func() {
		w.plugin(t, []int{0}, "set", "demoapp", "prod=100", "--wait")
		w.must(t, "kubectl", "scale", "-n", "stage", "deployment/demoappv2", "--replicas=1")
		w.must(t, "kubectl", "rollout", "status", "-n", "stage", "deployment/demoappv2", "--timeout=90s")
	}()
	w.walk(t, "When it goes wrong")
	w.must(t, "kubectl", "scale", "-n", "stage", "deployment/demoappv2", "--replicas=0")
	w.must(t, "kubectl", "wait", "-n", "stage", "--for=delete", "pod", "-l", "app=flaskapp", "--timeout=60s")
	w.plugin(t, []int{0}, "set", "demoapp", "stage=30", "--skip-check", "endpoints")
	versions, statuses := w.ask(t, w.GatewayURL(), 400)
	if math.Abs(float64(statuses[503])-120) > 46 { // five standard deviations around 30 %
		t.Errorf("400 requests at 30 %% without endpoints: statuses %v, versions %v, want about 120 times 503", statuses, versions)
	}
	r := parse(t, w.must(t, "mesh-verify", "load", w.GatewayURL(), "--rate", "500", "--max-requests", "2000", "-o", "json"))
	share := float64(r.GatewayReplies["503"]) / float64(r.sent())
	if math.Abs(share-0.3) > 0.052 || r.failed() != r.GatewayReplies["503"] { // five standard deviations; and what blue/green counts as failed is this
		t.Errorf("of %d requests %v were answered by the gateway and %d counted as failed, want 30 %%", r.sent(), r.GatewayReplies, r.failed())
	}
}

// Users are on v2 only, and its only pod goes by the eviction API, as in a node's drain, while the split is verified.
func eviction(t *testing.T, w world) {
	w.plugin(t, []int{0}, "set", "demoapp", "stage=100")
	old := w.field(t, "stage", "pods -l app=flaskapp", "{.items[0].metadata.name}")
	end := w.begin(t, "✓ live", "kubectl", "mesh-split", "verify", "demoapp", "-o", "json", "--rate", "100", "--confidence", "99.9%")
	w.must(t, "kubectl", "drain", "node0", "--pod-selector=app=flaskapp,app.kubernetes.io/instance=demoappv2", "--timeout=60s",
		"--delete-emptydir-data", "--ignore-daemonsets")
	o := end()
	w.must(t, "kubectl", "uncordon", "node0")
	w.must(t, "kubectl", "rollout", "status", "-n", "stage", "deployment/demoappv2", "--timeout=60s")
	if now := w.field(t, "stage", "pods -l app=flaskapp", "{.items[0].metadata.name}"); now == old {
		t.Errorf("pod %s was not evicted", old)
	}
	if o.code != 3 && o.code != 4 {
		t.Fatalf("verify while the only v2 pod goes: exit %d, want 3 or 4", o.code)
	}
	r := parse(t, o.stdout)
	t.Logf("%s; %d of %d requests failed: %v, gateway replies %v", r.Verdict, r.failed(), r.sent(), r.Outcomes, r.GatewayReplies)
	if r.GatewayReplies["503"] == 0 {
		t.Errorf("the gateway's 503s were not counted: %v", r.GatewayReplies)
	}
	w.set(t, "prod=100")
}
