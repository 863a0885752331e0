package stream

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/load"
)

// Join reads several streams side by side and stops at the instants that all of them know. It is for one goroutine.
type Join struct {
	labels  []string
	sources []Source
	tracks  []*track
	at      int64 // the instant given last
}

// track is one stream. A goroutine reads ahead by a line.
type track struct {
	lines chan read
	last  *Line // the latest line taken
	over  bool  // there are no more
}

type read struct {
	line *Line
	err  error
}

// NewJoin begins to read the sources, at least one; Close closes them. The versions of labels come first in all sums.
func NewJoin(labels []string, sources []Source) *Join {
	j := &Join{labels: labels, sources: sources}
	for _, s := range sources {
		t := &track{lines: make(chan read, 1)}
		j.tracks = append(j.tracks, t)
		// Nobody waits for this goroutine: a read from a terminal cannot be ended, whatever is closed.
		go func() {
			defer close(t.lines)
			for r := NewReader(s.Name, s); ; {
				line, err := r.Next()
				t.lines <- read{line, err}
				if err != nil {
					return
				}
			}
		}()
	}
	return j
}

// Close closes the sources and lets the goroutines end that wait for somebody to take their lines.
func (j *Join) Close() {
	for i, s := range j.sources {
		_ = s.Close()
		go func() {
			for range j.tracks[i].lines { // until the read that the closing has ended
			}
		}()
	}
}

// Next gives the evidence of all workers together before the next common instant; io.EOF once there is no more. A done ctx
// ends the waiting.
func (j *Join) Next(ctx context.Context) (load.Totals, error) {
	began := j.at == 0
	if err := j.take(ctx, func(t *track) bool { return t.last == nil || t.last.At <= j.at }); err != nil {
		return load.Totals{}, err
	}
	if began {
		if err := j.oneRun(); err != nil {
			return load.Totals{}, err
		}
	}
	for {
		at := j.at
		for _, t := range j.tracks {
			at = max(at, t.last.At)
		}
		behind := func(t *track) bool { return t.last.At < at }
		switch {
		case slices.ContainsFunc(j.tracks, func(t *track) bool { return !t.over && behind(t) }):
			if err := j.take(ctx, behind); err != nil {
				return load.Totals{}, err
			}
		case slices.ContainsFunc(j.tracks, func(t *track) bool { return t.last.Final == nil && behind(t) }), at == j.at:
			// A worker was lost at an instant that the others are past, or everyone has ended: read on for the final counts.
			return load.Totals{}, j.rest(ctx)
		default:
			j.at = at
			return j.sum(), nil
		}
	}
}

// take takes one line more from the streams that are not over and that which picks. A final line is followed to the end
// of its stream, where nothing may stand.
func (j *Join) take(ctx context.Context, which func(*track) bool) error {
	for _, t := range j.tracks {
		for pick := which(t); pick && !t.over; pick = t.last.Final != nil {
			select {
			case r := <-t.lines:
				switch {
				case errors.Is(r.err, io.EOF):
					t.over = true
				case r.err != nil:
					return r.err
				default:
					t.last = r.line
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// rest reads all streams to their ends; the error is io.EOF if they have good ones.
func (j *Join) rest(ctx context.Context) error {
	for slices.ContainsFunc(j.tracks, func(t *track) bool { return !t.over }) {
		if err := j.take(ctx, func(*track) bool { return true }); err != nil {
			return err
		}
	}
	return io.EOF
}

func (j *Join) sum() load.Totals {
	sum := load.Totals{Labels: slices.Clone(j.labels)}
	for _, t := range j.tracks {
		one := load.Totals{Labels: t.last.Labels, Evidence: t.last.Evidence}
		one.HideOther(j.labels)
		sum.Add(&one)
	}
	return sum
}

// oneRun says why the streams cannot be parts of one run.
func (j *Join) oneRun() error {
	first := j.tracks[0].last
	for i, t := range j.tracks {
		for k, other := range j.tracks[:i] {
			if other.last.Worker == t.last.Worker {
				return fault.New(fault.Failed, "give each stream once, and each worker a name of its own with --id", "%s and %s are both of worker %q",
					j.sources[k].Name, j.sources[i].Name, t.last.Worker)
			}
		}
		if err := t.last.sameLoad(first); err != nil {
			return fault.New(fault.Failed, "join workers that send the same load to the same place", "not one run: %w", err)
		}
	}
	return nil
}

// Last lists the latest line of every stream, in the order of the sources; nil for one that has given none. After io.EOF
// those without Final are of workers that were lost.
func (j *Join) Last() []*Line {
	last := make([]*Line, len(j.tracks))
	for i, t := range j.tracks {
		last[i] = t.last
	}
	return last
}
