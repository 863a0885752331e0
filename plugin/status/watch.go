package status

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/plugin/fleet"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// The pauses between two looks of --watch: while all is well, and while weights are on their way.
const (
	watchEvery = 5 * time.Second
	watchSoon  = time.Second
)

// watch looks until Ctrl-C: at every change of the object, and from time to time for the gateways' sake. On a terminal the next
// look is drawn in place of the one before; elsewhere the first is written whole, and then a line for each.
func (l *looker) watch(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	changed := make(chan struct{}, 1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		l.subject.Client.Observe(ctx, l.subject.Object, func(mesh.Object) {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}()
	defer func() {
		stop()
		<-gone
	}()
	frame := screen.NewFrame(l.options.Streams.Out)
	for first := true; ; first = false {
		text, pause := l.next(ctx, first || frame != nil)
		switch {
		case ctx.Err() != nil:
			return fault.Verdict{Exit: fault.Interrupted}
		case frame != nil:
			frame.Draw(text)
		default:
			fmt.Fprint(l.options.Streams.Out, text)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-changed:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return fault.Verdict{Exit: fault.Interrupted}
		}
	}
}

// next looks once more and says what it saw, whole or in a line, and when to look again. What fails for once is said, and the
// watch goes on.
func (l *looker) next(ctx context.Context, whole bool) (text string, pause time.Duration) {
	p, cost, err := l.again(ctx)
	if err != nil {
		return fmt.Sprintf("%s  %s\n", stamp(), report.Safe(firstLine(err))), watchEvery
	}
	found := diagnose(p, l.command)
	pause = watchEvery
	if !p.view.Live() {
		pause = watchSoon
	}
	for _, s := range p.view.Sights {
		cost = max(cost, s.Cost)
	}
	pause = mesh.Politely(pause, cost)
	if !whole {
		return fmt.Sprintf("%s  %s\n", stamp(), line(p, found)), pause
	}
	var b bytes.Buffer
	show := screen.New(&b, &b, false)
	show.Title(l.subject.Title()...)
	write(show, p, found)
	return b.String(), pause
}

func stamp() string { return time.Now().UTC().Format(time.RFC3339) }

// again reads the object, the gateway pods, what they hold and what they counted.
func (l *looker) again(ctx context.Context) (p picture, cost time.Duration, err error) {
	s := l.subject
	if err := s.Reload(ctx); err != nil {
		return p, 0, err
	}
	if err := s.Client.FindPods(ctx, s.Gateways); err != nil {
		return p, 0, err
	}
	if p, err = l.look(ctx); err != nil || l.tallies == nil {
		return p, 0, err
	}
	cost = l.count(ctx)
	l.tell(&p)
	return p, cost, nil
}

// line is a look in one line.
func line(p picture, found []finding) string {
	declared := "–"
	if p.declared != nil {
		declared = fleet.Weights(p.declared)
	}
	parts := []string{"declared " + declared, "object " + fleet.Weights(p.entry.Weights()), p.view.String()}
	if all := sum(p.observed); p.observed != nil {
		text := "users " + report.Count(all) + " requests"
		for i, n := range p.observed {
			if all > 0 {
				text += fmt.Sprintf(", %s %s", p.entry.Destinations[i].Short, report.Percent(float64(n)/float64(all), 1))
			}
		}
		parts = append(parts, text)
	}
	var codes []string
	for _, f := range found {
		codes = append(codes, f.Code)
	}
	return report.Safe(strings.Join(append(parts, strings.Join(codes, ", ")), " · "))
}
