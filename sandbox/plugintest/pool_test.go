//go:build unix

package plugintest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mesh-split/mesh-split/sandbox"
)

// pool lends sandboxes to scripts. A script has one to itself: it may stop istiod, break a version or have Envoy refuse everything,
// and what it counts is its own. Those beyond the first start when they are first needed.
type pool struct {
	dir  string                // theirs are in there
	free chan *sandbox.Sandbox // nil stands for one that has yet to start

	mutex   sync.Mutex // guards started
	started []*sandbox.Sandbox
}

// atOnce is how many scripts run at a time. For much of its time a script waits, for a push or for a load of a given rate, so there are
// two for each processor; and four at most, since a sandbox takes a gigabyte.
func atOnce() int { return min(4, 2*runtime.GOMAXPROCS(0)) }

// newPool lends out first, and more up to size.
func newPool(dir string, first *sandbox.Sandbox, size int) *pool {
	p := &pool{dir: dir, free: make(chan *sandbox.Sandbox, size)}
	for range size - 1 {
		p.free <- nil
	}
	p.free <- first // last: while some have yet to start, that is done first
	return p
}

// lend gives a script its sandbox until it has ended, with everything that it left running.
func (p *pool) lend(until func(func())) (s *sandbox.Sandbox, err error) {
	s = <-p.free
	defer func() { until(func() { p.free <- s }) }()
	if s == nil {
		if s, err = start(p.dir); err == nil {
			p.mutex.Lock()
			p.started = append(p.started, s)
			p.mutex.Unlock()
		}
	}
	return s, err
}

// down ends those that the pool has started.
func (p *pool) down() {
	for _, s := range p.started {
		_ = s.Down(context.Background())
	}
}

// start starts a sandbox with two gateways in a new folder within dir.
func start(dir string) (*sandbox.Sandbox, error) {
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return nil, err
	}
	var progress bytes.Buffer
	s, err := sandbox.Start(context.Background(), sandbox.Options{Dir: dir, Gateways: 2, Progress: &progress})
	if err != nil {
		return nil, fmt.Errorf("%sno sandbox to test in: %w", &progress, err)
	}
	return s, nil
}

type sandboxKey struct{}

// of is the script's own sandbox.
func of(ts *testscript.TestScript) *sandbox.Sandbox { return ts.Value(sandboxKey{}).(*sandbox.Sandbox) }
