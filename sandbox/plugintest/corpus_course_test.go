//go:build unix

package plugintest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Cases of the corpus that go more than one step.

const evenWeights = `{spec: {http: [{route: [{destination: {host: reviews, subset: v1}, weight: %A}, {destination: {host: reviews, subset: v2}, weight: %B}]}]}}`

// weigh writes the weights of shop/web as somebody else would.
func (b *board) weigh(manager, first, second string) {
	b.merge("VirtualService", "shop", "web", manager, strings.NewReplacer("%A", first, "%B", second).Replace(evenWeights))
}

// patches are the patches of VirtualServices among requests, dry runs left out.
func patches(asked []request) (n int, statuses []int) {
	for _, r := range asked {
		if r.Method == http.MethodPatch && strings.Contains(r.URI, "/virtualservices/") && !strings.Contains(r.URI, "dryRun") {
			n++
			statuses = append(statuses, r.Status)
		}
	}
	return n, statuses
}

// C36: somebody else writes between our read and our write. With the same weights the plan is made anew; others end it.
func (b *board) conflict() {
	words := []string{"set", "web", "v2=30"} // nobody is asked here: --yes answers a question on a terminal
	meddling := func(meddle func()) (string, func() []request) {
		var done bool
		return spy(b, func(r *http.Request) {
			if r.Method == http.MethodPatch && !done && strings.Contains(r.URL.Path, "/virtualservices/") {
				done = true
				meddle()
			}
		})
	}
	kubeconfig, asked := meddling(func() { b.weigh("colleague", "80", "20") })
	_, complaints, exit := b.runWith(kubeconfig, "shop", words...)
	want := b.Want
	want.Error = b.Want.Alternative.Error
	b.refused(complaints, exit, want)
	b.mentions(complaints, []string{"colleague"})
	if _, statuses := patches(asked()); len(statuses) != 1 || statuses[0] != http.StatusUnprocessableEntity {
		b.Errorf("patches were answered %v, want one 422", statuses)
	}
	want.Weights = []int64{80, 20}
	b.pushed()
	b.hold("shop", "web", want)

	b.weigh("colleague", "90", "10")
	b.pushed()
	kubeconfig, asked = meddling(func() {
		b.merge("VirtualService", "shop", "web", "colleague", "{metadata: {labels: {team: checkout}}}")
	})
	if out, complaints, exit := b.runWith(kubeconfig, "shop", words...); exit != 0 {
		b.Fatalf("exit code %d\n%s%s", exit, out, complaints)
	}
	if n, statuses := patches(asked()); n != b.Want.Requests || statuses[0] != http.StatusUnprocessableEntity || statuses[1] != http.StatusOK {
		b.Errorf("patches were answered %v, want 422, then 200", statuses)
	}
	b.hold("shop", "web", b.Want)
	if team := b.get("VirtualService", "shop", "web").GetLabels()["team"]; team != "checkout" {
		b.Errorf("the colleague's label is %q", team)
	}
}

// C37: an admission webhook's words are passed on as they are, and there is no second try.
func (b *board) denied() {
	b.merge("VirtualService", "shop", "web", "marker", "{metadata: {labels: {script: c37}}}")
	remove, err := register(shared, "c37", judge(70, "no canaries on Friday"))
	if err != nil {
		b.Fatal(err)
	}
	defer remove()
	eventually(b, func() string {
		if _, complaints, exit := b.run("shop", "set", "web", "v2=30", "--dry-run=server"); exit == 0 {
			return "the webhook is not asked " + complaints
		}
		return ""
	})
	before := b.versions()
	kubeconfig, asked := spy(b, nil)
	_, complaints, exit := b.runWith(kubeconfig, "shop", "set", "web", "v2=30")
	if exit != 1 {
		b.Errorf("exit code %d, want 1", exit)
	}
	b.mentions(complaints, b.Want.Mentions)
	if n, statuses := patches(asked()); n != b.Want.Requests {
		b.Errorf("%d patches, answered %v; want %d", n, statuses, b.Want.Requests)
	}
	if after := b.versions(); after != before {
		b.Errorf("a denied change wrote: %s, before %s", after, before)
	}
}

// C38: observing what another program owns is always allowed.
func (b *board) observing() {
	out, complaints, exit := b.run("shop", "verify", "web", "--passive", "--max-time=1s")
	if exit != 4 || !strings.Contains(out, "INCONCLUSIVE") { // nobody sends requests here
		b.Errorf("exit code %d, want 4: INCONCLUSIVE\n%s%s", exit, out, complaints)
	}
	b.at("Envoy")
}

// C40: overridden, set back by Argo CD, noticed, and not fought over.
func (b *board) override() {
	b.judge(b.Run[0], b.Want)
	type result struct {
		out, complaints string
		exit            int
	}
	done := make(chan result, 1)
	go func() {
		out, complaints, exit := b.run("shop", append(append([]string{"set"}, b.Run[1].Words...), "--watch-revert=20s")...)
		done <- result{out, complaints, exit}
	}()
	eventually(b, func() string {
		if strings.Contains(weightsOf(b.get("VirtualService", "shop", "web")), "30") {
			return ""
		}
		return "the change is not written"
	})
	b.weigh("argocd-controller", "90", "10")
	select {
	case r := <-done:
		if r.exit == 0 {
			b.Errorf("a revert passed for a success\n%s", r.out)
		}
		b.mentions(r.out, []string{"✓ patched", "jqPathExpressions"})
		b.mentions(r.complaints, []string{"set back to 90/10", "argocd-controller"})
		if strings.Contains(r.out, "✓ reverted") {
			b.Errorf("a rollback against another writer:\n%s", r.out)
		}
	case <-time.After(patience):
		b.Fatal("the revert was not noticed")
	}
	want := b.Want
	want.Weights = []int64{90, 10}
	b.pushed()
	b.hold("shop", "web", want)
}

// weightsOf are the weights of the first entry, as in "90 10".
func weightsOf(o *unstructured.Unstructured) string {
	entries, _, _ := unstructured.NestedSlice(o.Object, "spec", "http")
	var all []string
	for _, d := range entries[0].(object)["route"].([]any) {
		weight, known := d.(object)["weight"]
		if !known {
			weight = "absent"
		}
		all = append(all, fmt.Sprint(weight))
	}
	return strings.Join(all, " ")
}

// C41: undo takes the last change back exactly, once, and never another's. istiod's validation is away: it would refuse the first undo,
// which is its right.
func (b *board) wayBack() {
	must := func(words ...string) {
		b.Helper()
		if out, complaints, exit := b.run("shop", words...); exit != 0 {
			b.Fatalf("%v: exit code %d\n%s%s", words, exit, out, complaints)
		}
	}
	must("set", "web", "v2=10")
	out, _, _ := b.run("shop", "undo", "web", "--dry-run=server")
	for _, op := range b.Want.OpsInclude {
		if !strings.Contains(out, "  "+op) {
			b.Errorf("undo does not %s:\n%s", op, out)
		}
	}
	must("undo", "web", "--wait=false") // back to what Envoy does not take
	if have := weightsOf(b.get("VirtualService", "shop", "web")); have != "absent absent" {
		b.Errorf("after undo the weights are %s, want none", have)
	}
	_, complaints, _ := b.run("shop", "undo", "web")
	b.mentions(complaints, []string{b.Want.Second})
	must("set", "web", "v2=10")
	b.weigh("colleague", "50", "50")
	before := b.versions()
	_, complaints, exit := b.run("shop", "undo", "web")
	if exit != 5 || !strings.Contains(complaints, "now reviews/v1 50, reviews/v2 50") {
		b.Errorf("exit code %d and %q, want 5 and the present weights (%s)", exit, complaints, b.Want.Last.Error)
	}
	if after := b.versions(); after != before {
		b.Errorf("a refused undo wrote: %s, before %s", after, before)
	}
	b.at("Envoy") // each of these changes was seen live
}

// C42: a zero is absent in Envoy, a list of one may remain or be a plain cluster, and a gateway that stayed behind is named. The
// sketches are dumps: here real Envoys make them.
func (b *board) live() {
	dir := b.TempDir()
	kubectl := func(words ...string) {
		b.Helper()
		c := exec.Command(filepath.Join(b.path, "kubectl"), append(words, "--kubeconfig", shared.Kubeconfig())...)
		if out, err := c.CombinedOutput(); err != nil {
			b.Errorf("kubectl %v: %v\n%s", words, err, out)
		}
	}
	apply := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
		kubectl("apply", "-f", file)
		b.Cleanup(func() { kubectl("delete", "-f", file, "--wait=false", "--ignore-not-found") })
	}
	apply("vs.yaml", demoRoute("c42", "100", "0", ""))
	manifest, err := httpRouteManifest(shared, "HTTPRoute", "c42-api", "100", "0")
	if err != nil {
		b.Fatal(err)
	}
	apply("httproute.yaml", string(manifest))
	for i, row := range [][]string{{"c42"}, {"httproute/c42-api", "--route", "1"}} {
		out, complaints, exit := b.run("default", append([]string{"wait", "--for=live"}, row...)...)
		if live := exit == 0 && strings.Contains(out, "2/2"); live != b.Want.Live[i] {
			b.Errorf("%v: live %v, want %v\n%s%s", row, live, b.Want.Live[i], out, complaints)
		}
	}
	d, _ := dumpOf(b, shared.Gateways()[0].AdminURL)
	if made := d.MadeOf("default/c42"); len(made) != 1 || len(made[0].Weights()) != 1 {
		b.Errorf("100/0 is %d routes in Envoy, the first with %v", len(made), made[0].Weights())
	}
	if err := shared.Hold(b.Context(), 1); err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := shared.Release(context.Background(), 1); err != nil {
			b.Error(err)
		}
	}()
	out, complaints, exit := b.run("default", "set", "c42", "stage=30", "--timeout=2s")
	if exit != 4 {
		b.Errorf("exit code %d, want 4: not live in time\n%s%s", exit, out, complaints)
	}
	stale := shared.Gateways()[1].Pod // the sketch calls it ing-3
	b.mentions(out+complaints, []string{stale})
	out, _, _ = b.run("default", "status", "c42", "--observe=0")
	b.mentions(out, []string{"a gateway was left behind: istio-system/" + stale})
	if live := !strings.Contains(out, "STALE"); live != b.Want.Live[2] {
		b.Errorf("live %v, want %v:\n%s", live, b.Want.Live[2], out)
	}
	b.at("Envoy")
}
