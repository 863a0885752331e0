package mesh

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// AdminPort is where every gateway pod's Envoy answers questions about itself, on its loopback only.
const AdminPort = 15000

// dumpPath asks for the routes that came from istiod and for nothing else; a whole dump of a large mesh is hundreds of
// megabytes.
const dumpPath = "/config_dump?resource=dynamic_route_configs"

// readyPath costs an Envoy nothing to answer.
const readyPath = "/ready"

// maxDump bounds what is read from a gateway, in octets.
const maxDump = 256 << 20

// way leads to the Envoy of one pod.
type way interface {
	get(ctx context.Context, path string) ([]byte, error)
	close()
}

// envoy asks one gateway pod's Envoy, over one way that stays open. One goroutine at a time.
//
// Envoy makes a dump on the thread that also takes new configurations and, in the end, new connections: it is asked again no
// sooner than 20 times what it needed, whoever asks and whatever for.
type envoy struct {
	client *Client
	pod    Pod
	way    way
	idle   time.Duration              // round trip of a question that costs Envoy nothing
	heard  time.Time                  // when it last answered
	costs  map[string][]time.Duration // of the last dumps, by path
	next   time.Time                  // no dump before
}

func newEnvoy(c *Client, pod Pod) *envoy {
	return &envoy{client: c, pod: pod, costs: map[string][]time.Duration{}}
}

// open makes the way to the pod and measures its round trip.
func (e *envoy) open(ctx context.Context) error {
	if e.way != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	way, err := e.client.way(ctx, e.pod)
	if err != nil {
		return err
	}
	e.way, e.idle = way, time.Hour
	for range 2 { // the first one also opens the connection
		start := time.Now()
		if _, err := e.get(ctx, readyPath); err != nil {
			return err
		}
		e.idle = min(e.idle, time.Since(start))
	}
	return nil
}

// awake tells an Envoy that needs long for a dump from one that answers nothing at all.
func (e *envoy) awake(ctx context.Context) error {
	if time.Since(e.heard) < asleepAfter {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	_, err := e.get(ctx, readyPath)
	return err
}

// dump gives the route configurations whose names fit a regular expression, "" for all, and how long Envoy works on them: the
// least of the last three such dumps, because a busy machine of our own adds to what we see, and nothing takes away from it.
func (e *envoy) dump(ctx context.Context, names string) (data []byte, cost time.Duration, err error) {
	path := dumpPath
	if names != "" {
		path += "&name_regex=" + url.QueryEscape(names)
	}
	if err = e.open(ctx); err == nil {
		err = e.awake(ctx)
	}
	start := time.Now()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, dumpTimeout)
		data, err = e.get(ctx, path)
		cancel()
	}
	if err != nil {
		e.close() // the next question takes a new way
		return nil, 0, err
	}
	list := append(e.costs[path], max(0, time.Since(start)-e.idle))
	e.costs[path] = list[max(0, len(list)-3):]
	cost = slices.Min(e.costs[path])
	e.next = time.Now().Add(politeness * cost)
	return data, cost, nil
}

// rest waits until the next dump may come; false when ctx ended first.
func (e *envoy) rest(ctx context.Context) bool {
	d := time.Until(e.next)
	return d <= 0 && ctx.Err() == nil || d > 0 && sleep(ctx, d)
}

func (e *envoy) get(ctx context.Context, path string) ([]byte, error) {
	data, err := e.way.get(ctx, path)
	if err == nil {
		e.heard = time.Now()
		if len(data) >= maxDump {
			err = fault.New(fault.Failed, "", "the Envoy of %s answers more than %d MiB to %s", e.pod, maxDump>>20, path)
		}
	}
	return data, err
}

func (e *envoy) close() {
	if e.way != nil {
		e.way.close()
	}
	e.way = nil
}
