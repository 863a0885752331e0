//go:build unix

package plugintest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/sandbox"
	"github.com/mesh-split/mesh-split/sandbox/internal/process"
)

// startIstiod starts one more istiod on the sandbox's API server, of a revision of its own and with more variables, as a canary of
// istiod is installed beside the old one. It returns the port that gateways ask; its pod object says what is set, as its chart's does.
func startIstiod(w world, path, revision string, take func() int, env map[string]string) (xds int) {
	w.Helper()
	dir, pki := w.TempDir(), filepath.Join(shared.Dir(), "pki")
	address := func(flag string, port int) string { return fmt.Sprintf("--%s=127.0.0.1:%d", flag, port) }
	xds, health := take(), take()
	variables := []string{"REVISION=" + revision, "PILOT_ENABLE_ALPN_FILTER=false", "PILOT_ENABLE_METADATA_EXCHANGE=false", "VALIDATION_WEBHOOK_CONFIG_NAME=",
		"INJECTION_WEBHOOK_CONFIG_NAME=", "POD_NAME=istiod-" + revision, "POD_NAMESPACE=istio-system", "CLUSTER_ID=Kubernetes", "ROOT_CA_DIR=" + dir}
	shown := []any{object{"name": "REVISION", "value": revision}}
	for name, value := range env {
		variables = append(variables, name+"="+value)
		shown = append(shown, object{"name": name, "value": value})
	}
	w.create(sketched(object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": "istio-" + revision, "namespace": "istio-system"},
		"data": object{"mesh": "enableAutoMtls: false\ndefaultProviders: {metrics: []}\n", "meshNetworks": "networks: {}\n"}}))
	log := filepath.Join(dir, "log")
	child, err := process.NewStarter().Start(process.Spec{Name: "istiod-" + revision, Path: filepath.Join(path, "sandbox"), Dir: dir, Log: log, Env: variables, Args: []string{
		"istiod", "discovery", "--kubeconfig=" + filepath.Join(shared.Dir(), "istiod", "kubeconfig"), "--domain=cluster.local",
		address("grpcAddr", xds), address("secureGRPCAddr", take()), address("httpAddr", health), address("httpsAddr", take()), address("monitoringAddr", take()), "--ctrlz_port=0",
		"--tlsCertFile=" + filepath.Join(pki, "istiod.crt"), "--tlsKeyFile=" + filepath.Join(pki, "istiod.key"), "--caCertFile=" + filepath.Join(pki, "ca.crt")}})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		_ = child.Stop(context.Background(), 0)
		if said, err := os.ReadFile(log); err == nil && w.Failed() {
			w.Logf("istiod of revision %s said at last:\n%s", revision, said[max(0, len(said)-4000):])
		}
	})
	w.create(sketched(object{"apiVersion": "v1", "kind": "Pod", "metadata": object{"name": "istiod-" + revision, "namespace": "istio-system",
		"labels": object{"app": "istiod", "istio.io/rev": revision}}, "spec": object{"automountServiceAccountToken": false,
		"containers": []any{object{"name": "discovery", "image": "istiod", "env": shown}}}}))
	eventually(w, func() string {
		reply, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/ready", health))
		if err != nil {
			return err.Error()
		}
		defer reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			return "istiod says " + reply.Status
		}
		return ""
	})
	return xds
}

// addMeshConfig adds a line to the mesh config of a sandbox's istiod, which watches it; back takes it away again.
func addMeshConfig(s *sandbox.Sandbox, line string) (back func() error, err error) {
	client, err := clientOf(s)
	if err != nil {
		return nil, err
	}
	maps := client.CoreV1().ConfigMaps("istio-system")
	was, err := maps.Get(context.Background(), "istio", metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	write := func(mesh string) error {
		patch, err := yaml.Marshal(object{"data": object{"mesh": mesh}})
		if err == nil {
			patch, err = yaml.YAMLToJSON(patch)
		}
		if err == nil {
			_, err = maps.Patch(context.Background(), "istio", types.MergePatchType, patch, metav1.PatchOptions{})
		}
		return err
	}
	return func() error { return write(was.Data["mesh"]) }, write(was.Data["mesh"] + line + "\n")
}

// hideNamespace has the sandbox's istiod read every namespace but one; back ends that.
func hideNamespace(t testing.TB, name string) (back func()) {
	t.Helper()
	undo, err := addMeshConfig(shared, allBut(name))
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := undo(); err != nil {
			t.Error(err)
		}
	}
}

// clientOf asks a sandbox's API server.
func clientOf(s *sandbox.Sandbox) (*kubernetes.Clientset, error) {
	config, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig())
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

func allBut(namespace string) string {
	return "discoverySelectors: [{matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [" + namespace + "]}]}]"
}

// hide NAMESPACE: discoverySelectors that leave out a namespace, in the mesh config, until the end of the script.
func hideCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hide NAMESPACE")
	}
	undo, err := addMeshConfig(of(ts), allBut(args[0]))
	ts.Check(err)
	ts.Defer(func() {
		if err := undo(); err != nil {
			ts.Logf("the mesh config could not be put back: %v", err)
		}
	})
}
