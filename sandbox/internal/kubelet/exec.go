package kubelet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// adminPort is where pilot-agent finds its Envoy.
const adminPort = 15000

// serveExec runs `pilot-agent request GET PATH`, and nothing else, in a pod that has an Envoy: it asks that Envoy itself, as
// pilot-agent does, for the program is not there.
func serveExec(resolve Resolve) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		e := executor{r.PathValue("namespace"), resolve}
		remotecommand.ServeExec(w, r, e, r.PathValue("pod"), "", r.PathValue("container"), r.URL.Query()["command"], options,
			idleTimeout, creationTimeout, remotecommand.SupportedStreamingProtocols)
	}
}

type executor struct {
	namespace string
	resolve   Resolve
}

var _ remotecommand.Executor = executor{}

func (e executor) ExecInContainer(ctx context.Context, pod, _, _ string, command []string, _ io.Reader, out, _ io.WriteCloser,
	_ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	if len(command) != 4 || !slices.Equal(command[:3], []string{"pilot-agent", "request", "GET"}) {
		return fmt.Errorf("%s: not found in this pod", strings.Join(command, " "))
	}
	address, ok := e.resolve(Target{e.namespace, pod, adminPort})
	if !ok {
		return fmt.Errorf("pod %s/%s has no Envoy", e.namespace, pod)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/"+strings.TrimPrefix(command[3], "/"), nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	_, err = io.Copy(out, reply.Body)
	return err
}
