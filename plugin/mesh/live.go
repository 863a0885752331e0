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
	densePoll, denseFor = 25 * time.Millisecond, 2 * time.Second
	calmPoll, calmFor   = 100 * time.Millisecond, 10 * time.Second
	rarePoll            = time.Second
	politeness          = 20
	relistEvery         = time.Second

	answerTimeout = 2 * time.Second  // a gateway that takes longer to say that it is there is unreadable; the next poll asks again
	asleepAfter   = time.Second      // without an answer it is asked whether it is there, before a dump
	dumpTimeout   = 30 * time.Second // for a dump: 20 MB take Envoy a second or two, and a slow way some more
	maxAtOnce     = 16               // gateways that are asked at the same time
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
	slots    chan struct{}     // one for each gateway that is being asked
}

// Watch opens a way to every Ready gateway pod. A pod that cannot be reached is no error here; Look tells.
func (c *Client) Watch(ctx context.Context, g *Gateways) *Watch {
	w := &Watch{client: c, gateways: g, envoys: map[string]*envoy{}, slots: make(chan struct{}, maxAtOnce)}
	w.each(ctx, func(ctx context.Context, e *envoy) {
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
	for _, e := range w.ready() {
		group.Go(func() { w.turn(func() { do(ctx, e) }) })
	}
	group.Wait()
}

// turn runs ask when it is its turn.
func (w *Watch) turn(ask func()) {
	w.slots <- struct{}{}
	defer func() { <-w.slots }()
	ask()
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

// Look asks every Ready gateway pod once, for all of the entries. It gives the sights of each entry.
func (w *Watch) Look(ctx context.Context, entries ...route.Entry) [][]Sight {
	sights, _ := w.survey(ctx, entries, w.gateways.routeConfigs())
	return sights
}

// Survey is Look, and others are routes in any gateway that send requests to the destinations of the entry in other shares: it
// reads all route configurations.
func (w *Watch) Survey(ctx context.Context, entry route.Entry) (sights []Sight, others []string) {
	all, others := w.survey(ctx, []route.Entry{entry}, "")
	return all[0], others
}

func (w *Watch) survey(ctx context.Context, entries []route.Entry, names string) (sights [][]Sight, others []string) {
	var mutex sync.Mutex // guards the results
	var group sync.WaitGroup
	latest := map[string][]Sight{}
	for _, e := range w.ready() {
		group.Go(func() {
			seen, dump := w.look(ctx, e, entries, names)
			mutex.Lock()
			defer mutex.Unlock()
			latest[e.pod.String()] = seen
			if dump != nil && names == "" {
				others = append(others, dump.Others(entries[0], route.Origin{})...)
			}
		})
	}
	group.Wait()
	slices.Sort(others)
	return w.byEntry(latest, len(entries)), slices.Compact(others)
}

// byEntry orders what was seen in each pod by entry, and there by pod. A Ready pod that nobody looked into yet is there, and not
// live.
func (w *Watch) byEntry(latest map[string][]Sight, entries int) [][]Sight {
	all := make([][]Sight, entries)
	for i := range all {
		for _, pod := range w.gateways.Ready() {
			var s Sight
			if seen := latest[pod.String()]; seen != nil {
				s = seen[i]
			}
			s.Pod = pod
			all[i] = append(all[i], s)
		}
		sortSights(all[i])
	}
	return all
}

// live is true when every one of the sights is.
func live(sights []Sight) bool {
	return len(sights) > 0 && !slices.ContainsFunc(sights, func(s Sight) bool { return !s.Live() })
}

// look asks one Envoy, when that is polite, and gives a sight of each entry. An entry that is not where its routes are expected
// is looked for everywhere, before it is said to be nowhere.
func (w *Watch) look(ctx context.Context, e *envoy, entries []route.Entry, names string) ([]Sight, *route.Dump) {
	s := Sight{Pod: e.pod}
	var dump *route.Dump
	for {
		if !e.rest(ctx) {
			s.At, s.Err = time.Now(), fmt.Errorf("a look at the Envoy of %s takes it long, and the next was not due yet: %w", e.pod, ctx.Err())
			return slices.Repeat([]Sight{s}, len(entries)), nil
		}
		var data []byte
		var cost time.Duration
		w.turn(func() { data, cost, s.Err = e.dump(ctx, names) })
		s.At, s.Cost = time.Now(), s.Cost+cost
		if s.Err == nil {
			if dump, s.Err = route.ParseDump(data); s.Err != nil {
				s.Err = fmt.Errorf("reading the Envoy of %s: %w", e.pod, s.Err)
			}
		}
		seen := slices.Repeat([]Sight{s}, len(entries))
		if s.Err != nil {
			return seen, nil
		}
		absent := false
		for i, entry := range entries {
			seen[i].LiveReport = dump.Live(entry, route.Origin{})
			absent = absent || seen[i].State == route.Absent
		}
		if !absent || names == "" {
			return seen, dump
		}
		names = ""
	}
}

// Await asks every Ready gateway pod until each holds the weights of all entries, or ctx ends. Pods that come meanwhile have to
// hold them too; pods that go are forgotten. It gives the last sight of each, by entry. Since is when the change was made, the
// zero time where that is not known: the longer ago, the rarer the polls.
func (w *Watch) Await(ctx context.Context, entries []route.Entry, since time.Time) [][]Sight {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if since.IsZero() {
		since = time.Now()
	}
	var (
		mutex  sync.Mutex // guards latest
		latest = map[string][]Sight{}
		group  sync.WaitGroup
		polled = map[string]bool{}
		news   = make(chan struct{}, 1)
		relist = time.NewTicker(relistEvery)
	)
	defer relist.Stop()
	poll := func(e *envoy) {
		for {
			seen, _ := w.look(ctx, e, entries, w.gateways.routeConfigs())
			mutex.Lock()
			if ctx.Err() == nil || latest[e.pod.String()] == nil {
				latest[e.pod.String()] = seen
			}
			mutex.Unlock()
			select {
			case news <- struct{}{}:
			default:
			}
			if live(seen) || !sleep(ctx, pause(time.Since(since), seen[0].Cost)) {
				return
			}
		}
	}
	snapshot := func() [][]Sight {
		mutex.Lock()
		defer mutex.Unlock()
		return w.byEntry(latest, len(entries))
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
			if sights := snapshot(); !slices.ContainsFunc(sights, func(one []Sight) bool { return !live(one) }) {
				stop() // pods that went away may still be asked
				group.Wait()
				return sights
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
