package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
)

// execWay asks by running Istio's own pilot-agent in the pod, once for each question. It takes the right to create pods/exec
// (and to get it, which is how a WebSocket asks).
type execWay struct {
	client *Client
	pod    Pod
}

var _ way = (*execWay)(nil)

func (w *execWay) get(ctx context.Context, path string) ([]byte, error) {
	a := ask{"create", "pods/exec", w.pod.Namespace, w.pod.Name}
	target := w.client.kube.CoreV1().RESTClient().Post().Resource("pods").Namespace(w.pod.Namespace).Name(w.pod.Name).SubResource("exec").
		VersionedParams(&core.PodExecOptions{Container: w.pod.Container, Stdout: true, Stderr: true,
			Command: []string{"pilot-agent", "request", "GET", strings.TrimPrefix(path, "/")}}, scheme.ParameterCodec).URL()
	old, err := remotecommand.NewSPDYExecutor(w.client.config, http.MethodPost, target)
	if err != nil {
		return nil, w.client.explain(a, err)
	}
	websocket, err := remotecommand.NewWebSocketExecutor(w.client.config, http.MethodGet, target.String())
	if err != nil {
		return nil, w.client.explain(a, err)
	}
	executor, err := remotecommand.NewFallbackExecutor(websocket, old, func(err error) bool {
		return (httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)) && !forbidden(err)
	})
	if err != nil {
		return nil, w.client.explain(a, err)
	}
	out, complaints := &bounded{most: maxDump}, &bounded{most: 4096}
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdout: out, Stderr: complaints})
	var exit utilexec.ExitError
	switch {
	case err == nil:
		return out.Bytes(), nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("asking the Envoy of %s: %w", w.pod, ctx.Err())
	case forbidden(err):
		return nil, w.client.noRight(a, errors.New(refusal(err)))
	case errors.As(err, &exit):
		return nil, fmt.Errorf("asking the Envoy of %s by pilot-agent: %s", w.pod, strings.TrimSpace(complaints.String()+" ("+exit.Error()+")"))
	}
	return nil, w.client.explain(a, err)
}

func (w *execWay) close() {}

// forbidden knows a refused upgrade, which is only text.
func forbidden(err error) bool { return strings.Contains(err.Error(), "is forbidden") }

// refusal is what the API server said, without the words about upgrades around it.
func refusal(err error) string {
	if _, said, ok := strings.Cut(err.Error(), "pods \""); ok {
		return strings.Trim("pods \""+said, ": \n")
	}
	return err.Error()
}

// bounded keeps the first octets that are written to it.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), max(0, b.most-b.Len()))])
	return len(p), nil
}
