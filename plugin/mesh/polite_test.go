package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// slowEnvoy stands for a way to an Envoy: it answers with a file, and needs long for that. How a real one behaves with a dump
// of 20 MB is tested beside the sandbox, whose Envoys are real.
type slowEnvoy struct {
	needs time.Duration // for a dump
	file  []byte
	all   *asked
}

type asked struct {
	mutex     sync.Mutex // guards the rest
	paths     []string   // of dumps
	starts    []time.Time
	now, most int // dumps at the same time
}

func (s slowEnvoy) get(ctx context.Context, path string) ([]byte, error) {
	if path == readyPath {
		return []byte("LIVE"), nil
	}
	s.all.mutex.Lock()
	s.all.paths, s.all.starts = append(s.all.paths, path), append(s.all.starts, time.Now())
	s.all.now++
	s.all.most = max(s.all.most, s.all.now)
	s.all.mutex.Unlock()
	defer func() {
		s.all.mutex.Lock()
		s.all.now--
		s.all.mutex.Unlock()
	}()
	if !sleep(ctx, s.needs) {
		return nil, ctx.Err()
	}
	if strings.Contains(path, "name_regex") && !strings.Contains(path, "31380") {
		return []byte(`{"configs":[]}`), nil
	}
	return s.file, nil
}

func (s slowEnvoy) close() {}

// dumpOf is a dump of a size, in octets: many routes of others, and one of shop/web, in a configuration called http.31380.
func dumpOf(t *testing.T, size int) ([]byte, route.Entry) {
	t.Helper()
	var b bytes.Buffer
	one := func(object, clusters string) {
		fmt.Fprintf(&b, `{"match":{"prefix":"/"},"route":{"weighted_clusters":{"clusters":[%s]}},"metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/shop/virtual-service/%s"}}}}`, clusters, object)
	}
	both := `{"name":"outbound|80||a.shop.svc.cluster.local","weight":70},{"name":"outbound|80||b.shop.svc.cluster.local","weight":30}`
	b.WriteString(`{"configs":[{"route_config":{"name":"http.31380","virtual_hosts":[{"name":"web:80","domains":["web"],"routes":[`)
	one("web", both)
	b.WriteString(`]},{"name":"others:80","domains":["others"],"routes":[`)
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		one("other", both)
	}
	b.WriteString(`]}]}}]}`)
	to := func(host string, weight int64) map[string]any {
		return map[string]any{"destination": map[string]any{"host": host}, "weight": weight}
	}
	entries, err := route.Entries(route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
		"metadata": map[string]any{"namespace": "shop", "name": "web"},
		"spec":     map[string]any{"http": []any{map[string]any{"route": []any{to("a", 50), to("b", 50)}}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), entries[0]
}

func watchOf(n int, e slowEnvoy, port int) *Watch {
	g := &Gateways{servers: []Server{{Port: 80}}, services: []core.Service{{Spec: core.ServiceSpec{
		Ports: []core.ServicePort{{Port: 80, TargetPort: intstr.FromInt(port)}}}}}}
	w := &Watch{gateways: g, envoys: map[string]*envoy{}, slots: make(chan struct{}, maxAtOnce)}
	for i := range n {
		pod := Pod{Namespace: "infra", Name: fmt.Sprint("ing-", i), Ready: true}
		g.Pods = append(g.Pods, pod)
		w.envoys[pod.String()] = newEnvoy(nil, pod)
		w.envoys[pod.String()].way = e
	}
	return w
}

// A gateway with 20 MB of routes is asked for the part that is needed, no sooner than 20 times what the last dump took it, and
// is never taken for one that answers nothing.
func TestLargeConfigurationsAreAskedForRarely(t *testing.T) {
	file, entry := dumpOf(t, 20<<20)
	synctest.Test(t, func(t *testing.T) {
		all := &asked{}
		w := watchOf(1, slowEnvoy{3 * time.Second, file, all}, 31380)
		for range 3 {
			for _, s := range w.Look(t.Context(), entry)[0] {
				if s.Err != nil || s.State != route.Stale || s.Cost != 3*time.Second {
					t.Errorf("%v %v, cost %v: want stale, after 3 s", s.State, s.Err, s.Cost)
				}
			}
		}
		for i, path := range all.paths {
			if names, _ := url.QueryUnescape(path); !strings.HasSuffix(names, `&name_regex=^(http\.31380(\..*)?|http\.80(\..*)?)$`) {
				t.Errorf("asked for %s", names)
			}
			if i > 0 && all.starts[i].Sub(all.starts[i-1]) < (1+politeness)*3*time.Second {
				t.Errorf("asked again after %v, want %v", all.starts[i].Sub(all.starts[i-1]), (1+politeness)*3*time.Second)
			}
		}
	})
}

// An entry that is not where it is expected is looked for everywhere before it is said to be nowhere.
func TestAnEntryElsewhereIsFound(t *testing.T) {
	file, entry := dumpOf(t, 1<<10)
	synctest.Test(t, func(t *testing.T) {
		all := &asked{}
		w := watchOf(1, slowEnvoy{time.Millisecond, file, all}, 8080)
		if s := w.Look(t.Context(), entry)[0][0]; s.State != route.Stale || len(all.paths) != 2 || all.paths[1] != dumpPath {
			t.Errorf("%v after asking for %q, want stale by the second, whole dump", s.State, all.paths)
		}
	})
}

// Of a hundred gateways a few are asked at the same time.
func TestFewGatewaysAreAskedAtOnce(t *testing.T) {
	_, entry := dumpOf(t, 1<<10)
	synctest.Test(t, func(t *testing.T) {
		all := &asked{}
		w := watchOf(100, slowEnvoy{time.Second, []byte(`{"configs":[]}`), all}, 31380)
		if got := len(w.Look(t.Context(), entry)[0]); got != 100 || all.most != maxAtOnce {
			t.Errorf("%d gateways seen, %d at once, want 100 and %d", got, all.most, maxAtOnce)
		}
	})
}

// The way into a pod: a port-forward, else a command in it, else the error says both rights.
func TestEitherWay(t *testing.T) {
	no := fault.New(fault.Failed, "ask for a role with verb create on pods/portforward", "no right to create pods/portforward in namespace infra: forbidden")
	noExec := fault.New(fault.Failed, "ask for a role with verb create on pods/exec", "no right to create pods/exec in namespace infra: forbidden")
	broken := errors.New("connection refused")
	forward, exec := &slowEnvoy{needs: 1}, &slowEnvoy{needs: 2}
	for _, tt := range []struct {
		why         string
		first, then error
		want        way
		err, hint   string
	}{
		{"a port-forward where it is allowed", nil, nil, forward, "", ""},
		{"a command where it is not", no, nil, exec, "", ""},
		{"neither: both rights are named", no, noExec, nil, "no right to create pods/portforward in namespace infra: forbidden", "ask for a role with verb create on pods/portforward; create on pods/exec would do as well"},
		{"a gateway that is gone is not asked twice", broken, nil, nil, "connection refused", ""},
		{"a command that fails says why", no, broken, nil, "connection refused", ""},
	} {
		give := func(w way, err error) func() (way, error) {
			return func() (way, error) { return w, err }
		}
		got, err := eitherWay(give(forward, tt.first), give(exec, tt.then))
		var f *fault.Error
		errors.As(err, &f)
		switch {
		case err == nil && got != tt.want, err == nil && tt.err != "", err != nil && err.Error() != tt.err:
			t.Errorf("%s: %v, %v", tt.why, got, err)
		case tt.hint != "" && f.Hint != tt.hint:
			t.Errorf("%s: hint %q, want %q", tt.why, f.Hint, tt.hint)
		}
	}
}
