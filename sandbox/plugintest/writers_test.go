//go:build unix

package plugintest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// pages is an object with three routes; one writer changes the first two, the other the last two, so that they meet in one.
const pages = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: writers, namespace: default}
spec:
  hosts: [writers.example.com]
  gateways: [app-gateway]
  http:
`

// TestWritersOfSeveralRoutes lets two people change overlapping routes of one object at the same time, over and over. Each change
// is made in all of its routes or refused in all of them; the ids of what was accepted have no gap; and nothing but weights and
// the history ever changes.
func TestWritersOfSeveralRoutes(t *testing.T) {
	t.Run("annotation", func(t *testing.T) {
		for i, id := range writeTogether(t, "annotation") {
			if id != int64(i+1) {
				t.Fatalf("ids of accepted changes have a gap or a twin at %d", i+1)
			}
		}
	})
	// The ConfigMap is a write of its own: a change that is refused after another has the next number keeps its own, as not written.
	t.Run("configmap", func(t *testing.T) {
		accepted := writeTogether(t, "configmap")
		out, err := exec.Command(filepath.Join(bin(t), "kubectl"), "--kubeconfig", shared.Kubeconfig(), "get", "configmap", "mesh-split-history",
			"-o", `jsonpath={.data.virtualservice\.writers}`).Output()
		if err != nil {
			t.Fatal(err)
		}
		var items []struct {
			ID      int64
			Verdict string
		}
		if err := json.Unmarshal(out, &items); err != nil || len(items) == 0 {
			t.Fatalf("%v: %s", err, out)
		}
		for i, item := range items { // newest first
			if want := items[0].ID - int64(i); item.ID != want {
				t.Errorf("the history has %d in place of %d: %s", item.ID, want, out)
			}
			want := "not-written"
			if slices.Contains(accepted, item.ID) {
				want = "none"
			}
			if item.Verdict != want {
				t.Errorf("change %d is %s, want %s", item.ID, item.Verdict, want)
			}
		}
	})
}

// writeTogether gives the ids of the changes that were accepted.
func writeTogether(t *testing.T, history string) []int64 {
	path := bin(t)
	manifest := pages
	for _, name := range []string{"a", "b", "c"} {
		manifest += fmt.Sprintf(`  - name: %[1]s
    match: [{uri: {prefix: /%[1]s}}]
    route:
    - {destination: {host: flaskapp.prod.svc.cluster.local}, weight: 99}
    - {destination: {host: flaskapp.stage.svc.cluster.local}, weight: 1}
`, name)
	}
	file := filepath.Join(t.TempDir(), "writers.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(filepath.Join(path, "kubectl"), append([]string{"--kubeconfig", shared.Kubeconfig()}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	kubectl("apply", "-f", file)
	t.Cleanup(func() {
		kubectl("delete", "-f", file, "--wait=false")
		kubectl("delete", "configmap", "mesh-split-history", "--ignore-not-found") // it outlives the object, and so would its numbers
	})
	spec := func() string { return kubectl("get", "vs", "writers", "-o", "jsonpath={.spec}") }
	weight := regexp.MustCompile(`"weight":\d+`)
	before := weight.ReplaceAllString(spec(), "weight")

	const runs = 20
	var mutex sync.Mutex // guards what follows
	var ids []int64
	refused := 0
	var group sync.WaitGroup
	for writer, routes := range [][]string{{"--route=a", "--route=b"}, {"--route=b", "--route=c"}} {
		group.Go(func() {
			for i := range runs {
				share := 2 + 2*i + writer // no two changes wish the same, so that each that is accepted writes both of its routes
				c := plugin(t.Context(), path, append([]string{"set", "writers", fmt.Sprintf("stage=%d", share), "--wait=false", "-o", "json", "--history", history}, routes...)...)
				var complaint strings.Builder
				c.Stderr = &complaint
				out, err := c.Output()
				mutex.Lock()
				switch code(err) {
				case 0:
					var doc struct {
						Revision int64
						Routes   []struct {
							Destinations []struct{ Weight struct{ To int } }
						}
					}
					if err := json.Unmarshal(out, &doc); err != nil || len(doc.Routes) != 2 {
						t.Errorf("stage=%d: %v, %s", share, err, out)
						break
					}
					ids = append(ids, doc.Revision-1, doc.Revision)
				case 5:
					if refused++; !strings.Contains(complaint.String(), "was changed meanwhile by mesh-split") {
						t.Errorf("stage=%d was refused without a word about who was there: %s", share, &complaint)
					}
				default:
					t.Errorf("stage=%d: %v\n%s", share, err, &complaint)
				}
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(ids)
	t.Logf("%d changes of two routes accepted, %d refused", len(ids)/2, refused)
	if len(ids)/2+refused != 2*runs || len(ids) == 0 {
		t.Errorf("%d accepted and %d refused of %d", len(ids)/2, refused, 2*runs)
	}
	if after := weight.ReplaceAllString(spec(), "weight"); after != before {
		t.Errorf("more than weights changed:\n%s\n%s", before, after)
	}
	var now struct {
		HTTP []struct{ Route []struct{ Weight int } }
	}
	if err := json.Unmarshal([]byte(spec()), &now); err != nil {
		t.Fatal(err)
	}
	a, b, c := now.HTTP[0].Route[1].Weight, now.HTTP[1].Route[1].Weight, now.HTTP[2].Route[1].Weight
	if b != a && b != c {
		t.Errorf("a %d, b %d, c %d: the last change of b is half a change", a, b, c)
	}
	return ids
}
