package mesh

import (
	"context"
	"sync"
	"time"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// countsPath asks for the counters of every endpoint. Envoy has no filter for it.
const countsPath = "/clusters?format=json"

// Reading is what one gateway pod's Envoy had counted at a moment.
type Reading struct {
	Pod    Pod
	Counts route.ClusterCounts
	Cost   time.Duration // how long the Envoy was busy with us; the next question is to come no sooner than 20 times that
	Err    error         // why it could not be read
}

// Counts asks every Ready gateway pod once for what it has counted.
func (w *Watch) Counts(ctx context.Context) []Reading {
	var mutex sync.Mutex // guards out
	var out []Reading
	w.each(ctx, func(ctx context.Context, e *envoy) {
		r := Reading{Pod: e.pod}
		start := time.Now()
		var data []byte
		if r.Err = e.open(ctx); r.Err == nil {
			r.Err = e.awake(ctx)
		}
		if r.Err == nil {
			ctx, cancel := context.WithTimeout(ctx, dumpTimeout)
			data, r.Err = e.get(ctx, countsPath)
			cancel()
		}
		if r.Err == nil {
			r.Cost = time.Since(start)
			r.Counts, r.Err = route.ParseClusters(data)
		}
		if r.Err != nil {
			e.close() // the next question takes a new way
		}
		mutex.Lock()
		out = append(out, r)
		mutex.Unlock()
	})
	return out
}

// Politely is how long to wait after questions of a cost, at least d.
func Politely(d, cost time.Duration) time.Duration { return max(d, politeness*cost) }
