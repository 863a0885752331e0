package mesh

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// AdminPort is where every gateway pod's Envoy answers questions about itself, on its loopback only.
const AdminPort = 15000

// dumpPath asks for the routes that came from istiod and for nothing else; a whole dump of a large mesh is hundreds of
// megabytes.
const dumpPath = "/config_dump?resource=dynamic_route_configs"

// maxDump bounds what is read from a gateway, in octets.
const maxDump = 256 << 20

// envoy asks one gateway pod's Envoy, over one connection through one port-forward. One goroutine at a time.
type envoy struct {
	client  *Client
	pod     Pod
	forward *Forward
	http    *http.Client
	idle    time.Duration // round trip of a question that costs Envoy nothing
	costs   []time.Duration
}

func newEnvoy(c *Client, pod Pod) *envoy { return &envoy{client: c, pod: pod} }

// open makes the way to the pod and measures its round trip.
func (e *envoy) open(ctx context.Context) error {
	if e.forward != nil {
		return nil
	}
	forward, err := e.client.Forward(ctx, e.pod)
	if err != nil {
		return err
	}
	e.forward = forward
	e.http = &http.Client{Transport: &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return forward.Dial(AdminPort) },
		MaxConnsPerHost:    1,
		DisableCompression: true,
	}}
	e.idle = time.Hour
	for range 2 { // the first one also opens the connection
		start := time.Now()
		if _, err := e.get(ctx, "/ready"); err != nil {
			return err
		}
		e.idle = min(e.idle, time.Since(start))
	}
	return nil
}

// dump gives the route configurations, and how long Envoy works on them: the least of the last three dumps, because a
// busy machine of our own adds to what we see, and nothing takes away from it.
func (e *envoy) dump(ctx context.Context) (data []byte, cost time.Duration, err error) {
	if err := e.open(ctx); err != nil {
		e.close()
		return nil, 0, err
	}
	start := time.Now()
	data, err = e.get(ctx, dumpPath)
	if err != nil {
		e.close() // the next question takes a new way
		return nil, 0, err
	}
	e.costs = append(e.costs, max(0, time.Since(start)-e.idle))
	e.costs = e.costs[max(0, len(e.costs)-3):]
	return data, slices.Min(e.costs), nil
}

func (e *envoy) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://envoy"+path, nil)
	if err != nil {
		return nil, err
	}
	reply, err := e.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking the Envoy of %s: %w", e.pod, err)
	}
	defer reply.Body.Close()
	data, err := io.ReadAll(io.LimitReader(reply.Body, maxDump))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the Envoy of %s: %w", e.pod, err)
	case path == "/ready": // 503 while it starts is an answer, too
		return data, nil
	case reply.StatusCode != http.StatusOK:
		return nil, fault.New(fault.Failed, "", "the Envoy of %s answered %s to %s", e.pod, reply.Status, path)
	}
	return data, nil
}

func (e *envoy) close() {
	if e.http != nil {
		e.http.CloseIdleConnections()
	}
	if e.forward != nil {
		e.forward.Close()
	}
	e.forward, e.http = nil, nil
}
