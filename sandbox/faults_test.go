//go:build unix

package sandbox_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/mesh-split/mesh-split/sandbox"
)

var getOptions = metav1.GetOptions{}

func listOptions(selector string) metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: selector}
}

// must fails the test when breaking or mending something did not work.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mend undoes a fault when the test ends, whatever became of it.
func mend(t *testing.T, undo func(context.Context) error) {
	t.Cleanup(func() {
		if err := undo(context.Background()); err != nil {
			t.Errorf("mending: %v", err)
		}
	})
}

// A held gateway serves on with its old weights while the other one has the new; released, it catches up.
func TestHoldKeepsOldWeights(t *testing.T) {
	must(t, shared.Hold(t.Context(), 1))
	mend(t, func(ctx context.Context) error { return shared.Release(ctx, 1) })
	split(t, shared, 50, 50, 0)
	for range 40 { // ten times as long as a push takes
		if !has(t.Context(), shared, 1, 100, 0) {
			t.Fatal("the held gateway lost its old weights")
		}
		time.Sleep(25 * time.Millisecond)
	}
	if g := shared.Gateways(); g[0].Stale || !g[1].Stale {
		t.Errorf("gateways %+v: want the second stale, and it alone", g)
	}
	must(t, shared.Release(t.Context(), 1))
	awaitWeights(t, shared, 1, 50, 50)
}

// A held gateway stays stale although istiod, behind the relay, goes away and comes back.
func TestHoldOutlivesIstiod(t *testing.T) {
	must(t, shared.Hold(t.Context(), 1))
	mend(t, func(ctx context.Context) error { return shared.Release(ctx, 1) })
	must(t, shared.StopIstiod(t.Context()))
	must(t, shared.StartIstiod(t.Context()))
	split(t, shared, 60, 40, 0)
	if !has(t.Context(), shared, 1, 100, 0) {
		t.Error("the held gateway lost its old weights")
	}
	must(t, shared.Release(t.Context(), 1))
	awaitWeights(t, shared, 1, 60, 40)
}

// A frozen gateway neither answers nor refuses: the admin port times out. Thawed, it goes on.
func TestFreeze(t *testing.T) {
	must(t, shared.Freeze(t.Context(), 0))
	mend(t, func(ctx context.Context) error { return shared.Thaw(ctx, 0) })
	client := http.Client{Timeout: 300 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	var timeout net.Error
	if _, err := client.Get(shared.Gateways()[0].AdminURL + "/ready"); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("a frozen gateway's admin port: %v, want a timeout", err)
	}
	must(t, shared.Thaw(t.Context(), 0))
	if _, err := ask(t, shared.Gateways()[0].AdminURL+"/ready"); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

// A killed gateway's pod is not ready and users are served by the other; restarted, it is ready and has the routes.
func TestKill(t *testing.T) {
	client, err := kubernetes.NewForConfig(config(t, shared, sandbox.Context))
	must(t, err)
	ready := func() bool {
		pod, err := client.CoreV1().Pods("istio-system").Get(t.Context(), shared.Gateways()[0].Pod, getOptions)
		must(t, err)
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady {
				return c.Status == corev1.ConditionTrue
			}
		}
		t.Fatal("the pod has no condition Ready")
		return false
	}
	must(t, shared.Kill(t.Context(), 0))
	if ready() || shared.Gateways()[0].Running {
		t.Error("the pod of a killed gateway is ready")
	}
	for range 20 {
		if _, err := ask(t, shared.GatewayURL()); err != nil {
			t.Fatalf("with one of two gateways: %v", err)
		}
	}
	must(t, shared.Restart(t.Context(), 0))
	if !ready() {
		t.Error("the pod of a restarted gateway is not ready")
	}
	awaitWeights(t, shared, 0, 100, 0)
}

// Without istiod nothing can be written and users notice nothing; with it back, changes arrive.
func TestStopIstiod(t *testing.T) {
	must(t, shared.StopIstiod(t.Context()))
	if err := patch(t, shared, sandbox.Context, 50, 50); err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("patching without istiod: %v, want a failed webhook", err)
	}
	if _, err := ask(t, shared.GatewayURL()); err != nil {
		t.Errorf("without istiod: %v", err)
	}
	must(t, shared.StartIstiod(t.Context()))
	split(t, shared, 50, 50, 0, 1)
}

// The API server comes back at its address with its data, and changes arrive again.
func TestStopAPIServer(t *testing.T) {
	split(t, shared, 80, 20, 0, 1)
	must(t, shared.StopAPIServer(t.Context()))
	if err := patch(t, shared, sandbox.Context, 50, 50); err == nil {
		t.Error("an API server that was stopped answers")
	}
	must(t, shared.StartAPIServer(t.Context()))
	client, err := kubernetes.NewForConfig(config(t, shared, sandbox.Context))
	must(t, err)
	if got := gatewayPods(t, client); len(got) != 2 {
		t.Errorf("%d gateway pods after the restart, want 2", len(got))
	}
	awaitWeights(t, shared, 0, 80, 20)
	split(t, shared, 50, 50, 0, 1)
}

// Only the version that was told to fails.
func TestFaultOfOneVersion(t *testing.T) {
	must(t, shared.Fault(t.Context(), "v2", sandbox.Switches{ErrorRate: 1, ErrorStatus: 503, Latency: 50 * time.Millisecond}))
	mend(t, func(ctx context.Context) error { return shared.Fault(ctx, "v2", sandbox.Switches{}) })
	split(t, shared, 50, 50, 0, 1)
	statuses := map[string]int{"v1": 200, "v2": 503}
	for range 60 {
		began := time.Now()
		response, err := ask(t, shared.GatewayURL())
		must(t, err)
		version := response.Header.Get("x-app-version")
		if response.StatusCode != statuses[version] {
			t.Errorf("%s answers %d, want %d", version, response.StatusCode, statuses[version])
		}
		if took := time.Since(began); version == "v2" && took < 50*time.Millisecond {
			t.Errorf("v2 answers after %v, want 50 ms at least", took)
		}
	}
}

// Wrong targets are told with the right ones.
func TestUnknownTargets(t *testing.T) {
	for _, row := range []struct {
		err  error
		want string
	}{
		{shared.Freeze(t.Context(), 2), `no gateway "2"; there are 0 to 1`},
		{shared.Fault(t.Context(), "v3", sandbox.Switches{}), `no version "v3"`},
		{shared.Fault(t.Context(), "v2", sandbox.Switches{ErrorRate: 2}), "errorRate 2 is not within 0 and 1"},
		{shared.StartIstiod(t.Context()), "istiod runs"},
		{shared.Restart(t.Context(), 0), "istio-ingressgateway-0 runs"},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("got %v, want %q in it", row.err, row.want)
		}
	}
}

// The control port belongs to whoever may read the state file, and to nobody else.
func TestControlNeedsToken(t *testing.T) {
	data, err := os.ReadFile(shared.Dir() + "/state.json")
	must(t, err)
	info, err := os.Stat(shared.Dir() + "/state.json")
	must(t, err)
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the state file has mode %o, want 600", mode)
	}
	_, rest, _ := strings.Cut(string(data), `"control": "`)
	address, _, _ := strings.Cut(rest, `"`)
	response, err := http.Post("http://"+address+"/down", "application/json", nil)
	must(t, err)
	response.Body.Close()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("going down without the token: %s, want 401", response.Status)
	}
}
