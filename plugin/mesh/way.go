package mesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// way leads to a gateway pod's Envoy: by a port-forward, or where that is forbidden by a command in the pod. The error of
// neither names both rights.
func (c *Client) way(ctx context.Context, pod Pod) (way, error) {
	return eitherWay(
		func() (way, error) {
			forward, err := c.Forward(ctx, pod)
			if err != nil {
				return nil, err
			}
			return newForwardWay(forward, AdminPort), nil
		},
		func() (way, error) {
			w := &execWay{client: c, pod: pod}
			_, err := w.get(ctx, readyPath)
			return w, err
		})
}

// eitherWay tries the second where the right to the first is missing.
func eitherWay(forward, exec func() (way, error)) (way, error) {
	w, err := forward()
	if err == nil || !missingRight(err) {
		return w, err
	}
	other, execErr := exec()
	switch {
	case execErr == nil:
		return other, nil
	case missingRight(execErr):
		var f *fault.Error
		errors.As(err, &f)
		return nil, fault.New(fault.Failed, f.Hint+"; create on pods/exec would do as well", "%w", f.Err)
	}
	return nil, execErr
}

func missingRight(err error) bool {
	var f *fault.Error
	return apierrors.IsForbidden(err) || errors.As(err, &f) && strings.HasPrefix(f.Error(), "no right")
}

// forwardWay asks over one connection through one port-forward.
type forwardWay struct {
	forward *Forward
	http    *http.Client
}

var _ way = (*forwardWay)(nil)

func newForwardWay(forward *Forward, port int) *forwardWay {
	return &forwardWay{forward, &http.Client{Transport: &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return forward.Dial(port) },
		MaxConnsPerHost:    1,
		DisableCompression: true,
	}}}
}

func (w *forwardWay) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://envoy"+path, nil)
	if err != nil {
		return nil, err
	}
	reply, err := w.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking the Envoy of %s: %w", w.forward.pod, err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(io.LimitReader(reply.Body, maxDump))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the Envoy of %s: %w", w.forward.pod, err)
	case path == readyPath: // 503 while it starts is an answer, too
		return data, nil
	case reply.StatusCode != http.StatusOK:
		return nil, fault.New(fault.Failed, "", "the Envoy of %s answered %s to %s", w.forward.pod, reply.Status, path)
	}
	return data, nil
}

func (w *forwardWay) close() {
	w.http.CloseIdleConnections()
	w.forward.Close()
}
