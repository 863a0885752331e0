package mesh

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Sight is what one gateway pod's Envoy was last seen to hold of an entry.
type Sight struct {
	Pod Pod
	route.LiveReport
	At   time.Time     // when the answer was in: for a live one, the first that showed it
	Cost time.Duration // how long the Envoy was busy with us: the next question is to come no sooner than 20 times that
	Err  error         // why the Envoy could not be read; the report is empty then
}

// Live is true when the Envoy holds exactly the weights asked about.
func (s Sight) Live() bool { return s.Err == nil && s.State == route.Live }

// Timing of the live check. istiod waits 100 ms before it pushes, and a change is live in every gateway within a second
// in good weather: polls are dense then, and ever rarer after. A dump is made on Envoy's main thread, so a gateway spends
// at most a twentieth of it on us.
const (
	densePoll, denseFor   = 25 * time.Millisecond, 2 * time.Second
	calmPoll, calmFor     = 100 * time.Millisecond, 10 * time.Second
	rarePoll              = time.Second
	politeness            = 20
	answerTimeout         = 2 * time.Second // a gateway that takes longer is unreadable; the next poll asks again
	relistEvery           = time.Second
	maxConcurrentForwards = 16
)

// pause is how long to wait before the next poll of a pod.
func pause(elapsed, cost time.Duration) time.Duration {
	p := rarePoll
	switch {
	case elapsed < denseFor:
		p = densePoll
	case elapsed < calmFor:
		p = calmPoll
	}
	return max(p, politeness*cost)
}

// Watch looks into the gateway pods' Envoys, over ways that stay open between looks.
type Watch struct {
	client   *Client
	gateways *Gateways
	envoys   map[string]*envoy // by pod
}

// Watch opens a way to every Ready gateway pod. A pod that cannot be reached is no error here; Look tells.
func (c *Client) Watch(ctx context.Context, g *Gateways) *Watch {
	w := &Watch{client: c, gateways: g, envoys: map[string]*envoy{}}
	w.each(ctx, func(ctx context.Context, e *envoy) {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		defer cancel()
		if e.open(ctx) != nil {
			e.close() // asked again, and reported, by the first look
		}
	})
	return w
}

// Close ends every way.
func (w *Watch) Close() {
	for _, e := range w.envoys {
		e.close()
	}
}

// each runs do for every Ready pod at once, a bounded number at a time, and waits.
func (w *Watch) each(ctx context.Context, do func(context.Context, *envoy)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, maxConcurrentForwards)
	for _, e := range w.ready() {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			do(ctx, e)
		})
	}
	group.Wait()
}

// ready are the envoys of the pods that are Ready, made where they are new.
func (w *Watch) ready() []*envoy {
	var list []*envoy
	for _, pod := range w.gateways.Ready() {
		e := w.envoys[pod.String()]
		if e == nil {
			e = newEnvoy(w.client, pod)
			w.envoys[pod.String()] = e
		}
		list = append(list, e)
	}
	return list
}

// Look asks every Ready gateway pod once.
func (w *Watch) Look(ctx context.Context, entry route.Entry) []Sight {
	var mutex sync.Mutex // guards sights
	var sights []Sight
	w.each(ctx, func(ctx context.Context, e *envoy) {
		sight, _ := e.look(ctx, entry)
		mutex.Lock()
		sights = append(sights, sight)
		mutex.Unlock()
	})
	sortSights(sights)
	return sights
}

// look asks one Envoy and keeps to the time it may take.
func (e *envoy) look(ctx context.Context, entry route.Entry) (Sight, time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	dump, cost, err := e.dump(ctx)
	at := time.Now()
	if err != nil {
		return Sight{Pod: e.pod, At: at, Cost: cost, Err: err}, cost
	}
	read, err := route.ParseDump(dump)
	if err != nil {
		return Sight{Pod: e.pod, At: at, Cost: cost, Err: fmt.Errorf("reading the Envoy of %s: %w", e.pod, err)}, cost
	}
	return Sight{Pod: e.pod, LiveReport: read.Live(entry, route.Origin{}), At: at, Cost: cost}, cost
}

// Await asks every Ready gateway pod until each holds the entry's weights, or ctx ends. Pods that come meanwhile have to hold
// it too; pods that go are forgotten. It gives the last sight of each; all live, or not. Since is when the change was made, the
// zero time where that is not known: the longer ago, the rarer the polls.
func (w *Watch) Await(ctx context.Context, entry route.Entry, since time.Time) (sights []Sight, live bool) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if since.IsZero() {
		since = time.Now()
	}
	var (
		mutex  sync.Mutex // guards latest
		latest = map[string]Sight{}
		group  sync.WaitGroup
		polled = map[string]bool{}
		news   = make(chan struct{}, 1)
		relist = time.NewTicker(relistEvery)
	)
	defer relist.Stop()
	poll := func(e *envoy) {
		for {
			sight, cost := e.look(ctx, entry)
			mutex.Lock()
			if ctx.Err() == nil || latest[e.pod.String()].At.IsZero() {
				latest[e.pod.String()] = sight
			}
			mutex.Unlock()
			select {
			case news <- struct{}{}:
			default:
			}
			if sight.Live() || !sleep(ctx, pause(time.Since(since), cost)) {
				return
			}
		}
	}
	snapshot := func() ([]Sight, bool) {
		mutex.Lock()
		defer mutex.Unlock()
		var list []Sight
		all := true
		for _, pod := range w.gateways.Ready() {
			s := latest[pod.String()]
			s.Pod = pod
			list, all = append(list, s), all && s.Live()
		}
		sortSights(list)
		return list, all && len(list) > 0
	}
	begin := func() {
		for _, e := range w.ready() {
			if !polled[e.pod.String()] {
				polled[e.pod.String()] = true
				group.Go(func() { poll(e) })
			}
		}
	}
	begin()
	for {
		select {
		case <-news:
			if sights, live = snapshot(); live {
				stop() // pods that went away may still be asked
				group.Wait()
				return sights, true
			}
		case <-relist.C:
			// A failed list keeps the pods we know: they are asked anyway, and silence is reported by them.
			_ = w.client.FindPods(ctx, w.gateways)
			begin()
		case <-ctx.Done():
			group.Wait()
			return snapshot()
		}
	}
}

// sleep waits, or returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func sortSights(sights []Sight) {
	slices.SortFunc(sights, func(a, b Sight) int { return strings.Compare(a.Pod.String(), b.Pod.String()) })
}
