//go:build unix

package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/mesh-split/mesh-split/sandbox"
)

// Most tests share one sandbox with two gateways, and each leaves it as it found it: all weight on prod, nothing broken.
// A missing sandbox program is an error, never a skip: these are the tests of what it does.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "mesh-split-sandbox-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		var progress bytes.Buffer
		shared, err = sandbox.Start(context.Background(), sandbox.Options{Dir: dir, Gateways: 2, Progress: &progress})
		if err != nil {
			fmt.Fprintf(os.Stderr, "%sno sandbox to test: %v\n", &progress, err)
			return 1
		}
		status := m.Run()
		processes := shared.Processes()
		if err := shared.Down(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, "going down:", err)
			return 1
		}
		if left := running(processes); len(left) > 0 { // Down returns when all have ended, not some time later
			fmt.Fprintf(os.Stderr, "still running after down: %v\n", left)
			return 1
		}
		return status
	}())
}

var shared *sandbox.Sandbox

const (
	prod  = "flaskapp.prod.svc.cluster.local"
	stage = "flaskapp.stage.svc.cluster.local"
)

var virtualServices = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"}

// config is the kubeconfig's, in a context.
func config(t *testing.T, s *sandbox.Sandbox, name string) *rest.Config {
	t.Helper()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: s.Kubeconfig()}, &clientcmd.ConfigOverrides{CurrentContext: name}).ClientConfig()
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// patch writes the two weights of the VirtualService demoapp, in a context of the kubeconfig.
func patch(t *testing.T, s *sandbox.Sandbox, context string, prod, stage int) error {
	t.Helper()
	client, err := dynamic.NewForConfig(config(t, s, context))
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`[{"op":"replace","path":"/spec/http/0/route/0/weight","value":%d},
		{"op":"replace","path":"/spec/http/0/route/1/weight","value":%d}]`, prod, stage)
	_, err = client.Resource(virtualServices).Namespace("default").Patch(t.Context(), "demoapp", types.JSONPatchType, []byte(body), metav1.PatchOptions{})
	return err
}

// split patches the weights, waits until the given gateways have them, and puts all weight on prod when the test ends.
func split(t *testing.T, s *sandbox.Sandbox, prod, stage int, gateways ...int) {
	t.Helper()
	t.Cleanup(func() {
		// The test's own context has ended by now, and its last words should not depend on it.
		if err := patchAfter(t, s); err != nil {
			t.Errorf("putting the weights back: %v", err)
		}
	})
	if err := patch(t, s, sandbox.Context, prod, stage); err != nil {
		t.Fatalf("patching to %d/%d: %v", prod, stage, err)
	}
	for _, i := range gateways {
		awaitWeights(t, s, i, prod, stage)
	}
}

func patchAfter(t *testing.T, s *sandbox.Sandbox) error {
	client, err := dynamic.NewForConfig(config(t, s, sandbox.Context))
	if err != nil {
		return err
	}
	_, err = client.Resource(virtualServices).Namespace("default").Patch(context.Background(), "demoapp", types.JSONPatchType,
		[]byte(`[{"op":"replace","path":"/spec/http/0/route/0/weight","value":100},{"op":"replace","path":"/spec/http/0/route/1/weight","value":0}]`),
		metav1.PatchOptions{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range s.Gateways() {
		for !has(ctx, s, i, 100, 0) {
			if ctx.Err() != nil {
				return fmt.Errorf("gateway %d did not go back to 100/0", i)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return nil
}

// patience is for things that take 100 ms on an idle machine.
const patience = 20 * time.Second

// eventually waits until yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !yes(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v not yet: %s", patience, what)
		}
	}
}

func awaitWeights(t *testing.T, s *sandbox.Sandbox, gateway, prod, stage int) {
	t.Helper()
	eventually(t, fmt.Sprintf("gateway %d has %d/%d", gateway, prod, stage), func() bool { return has(t.Context(), s, gateway, prod, stage) })
}

// has says whether a gateway's Envoy has the weights; a zero is an absent destination there.
func has(ctx context.Context, s *sandbox.Sandbox, gateway, p, q int) bool {
	want := map[string]int64{prod: int64(p), stage: int64(q)}
	maps.DeleteFunc(want, func(_ string, weight int64) bool { return weight == 0 })
	got, err := s.EnvoyWeights(ctx, gateway, "default", "demoapp")
	return err == nil && maps.Equal(got, want)
}

// ask sends one request on a connection of its own.
func ask(t *testing.T, url string) (*http.Response, error) {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err == nil {
		response.Body.Close()
	}
	return response, err
}
