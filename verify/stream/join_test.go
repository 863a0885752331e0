package stream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/stream"
)

// line is worker w's line at an instant, in hundreds of ms, with a requests of v1 and b of v2.
func line(w string, at int64, a, b uint64) *stream.Line {
	return &stream.Line{Stream: stream.Format, Worker: w, At: 100 * at, Began: 1, Identify: "header:x-app-version", Sent: a + b,
		Load: report.Load{URL: "http://gateway/", Method: "GET", Connections: 1, RateAsked: 10}, Labels: []string{"v1", "v2"},
		Evidence: load.Evidence{Requests: a + b, Sent: a + b, Counts: []uint64{a, b}, Failures: []uint64{0, 0}, Slow: []uint64{0, 0}}}
}

func final(l *stream.Line) *stream.Line {
	s := load.Snapshot{Sent: l.Sent, Versions: []load.VersionStats{{Name: "v1"}, {Name: "v2"}}}
	s.Outcomes[load.Answered] = l.Sent
	for i := range s.Versions {
		s.Versions[i].Requests = l.Evidence.Counts[i]
		for range l.Evidence.Counts[i] {
			s.Versions[i].Service.Record(time.Millisecond)
		}
	}
	l.At++ // a worker does not end at an instant
	l.Final = &stream.Final{Seconds: 1, Snapshot: s, Connections: []load.Evidence{l.Evidence}, Peers: []load.Peer{{Address: "10.0.0.1:80", Evidence: l.Evidence}}}
	return l
}

func source(t *testing.T, name string, lines ...any) stream.Source {
	t.Helper()
	var b bytes.Buffer
	for _, l := range lines {
		if text, ok := l.(string); ok {
			b.WriteString(text)
			continue
		}
		octets, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(octets, '\n'))
	}
	return stream.Source{Name: name, ReadCloser: io.NopCloser(&b)}
}

// read joins streams and writes what they have in common, and how they end.
func read(t *testing.T, sources ...stream.Source) string {
	t.Helper()
	j := stream.NewJoin([]string{"v2", "v1"}, sources)
	defer j.Close()
	var b strings.Builder
	for {
		sum, err := j.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return b.String() + err.Error()
		}
		fmt.Fprintf(&b, "%s %v; ", strings.Join(sum.Labels, ","), sum.Evidence.Counts)
	}
	for _, l := range j.Last() {
		fmt.Fprintf(&b, "%s %d whole %t; ", l.Worker, l.Sent, l.Final != nil)
	}
	return b.String()
}

func TestJoin(t *testing.T) {
	for _, row := range []struct {
		name string
		a, b []any
		want string
	}{
		{"lines of one instant are summed, in the order of the target",
			[]any{line("a", 1, 1, 0), line("a", 2, 5, 1), final(line("a", 2, 6, 1))},
			[]any{line("b", 1, 0, 2), line("b", 2, 3, 3), final(line("b", 2, 3, 4))},
			"v2,v1 [2 1]; v2,v1 [4 8]; v2,v1 [5 9]; a 7 whole true; b 7 whole true; "},
		{"a line that was lost loses nothing but its moment",
			[]any{line("a", 1, 1, 0), line("a", 2, 5, 1), line("a", 3, 6, 1), final(line("a", 3, 6, 1))},
			[]any{line("b", 1, 0, 2), line("b", 3, 3, 4), final(line("b", 3, 3, 4))},
			"v2,v1 [2 1]; v2,v1 [5 9]; v2,v1 [5 9]; a 7 whole true; b 7 whole true; "},
		{"a worker that has ended has said all: the others go on",
			[]any{final(line("a", 1, 1, 1))},
			[]any{line("b", 1, 0, 2), line("b", 2, 3, 4), line("b", 3, 5, 5), final(line("b", 3, 6, 6))},
			"v2,v1 [5 4]; v2,v1 [6 6]; v2,v1 [7 7]; a 2 whole true; b 12 whole true; "},
		{"behind the last line of a lost worker nothing is common, and its end is seen",
			[]any{line("a", 1, 1, 0), line("a", 2, 5, 1)},
			[]any{line("b", 1, 0, 2), line("b", 2, 3, 3), line("b", 3, 9, 9), final(line("b", 3, 9, 9))},
			"v2,v1 [2 1]; v2,v1 [4 8]; a 6 whole false; b 18 whole true; "},
		{"a line that was cut while it was written is no line",
			[]any{line("a", 1, 1, 0), `{"stream":"mesh-split.dev/work`},
			[]any{line("b", 1, 0, 2), final(line("b", 1, 3, 3))},
			"v2,v1 [2 1]; a 1 whole false; b 6 whole true; "},
		{"one stream given twice", []any{line("a", 1, 1, 0)}, []any{line("a", 1, 1, 0)}, `one and two are both of worker "a"`},
		{"another place", []any{line("a", 1, 1, 0)}, []any{func() *stream.Line { l := line("b", 1, 1, 0); l.Load.URL = "http://other/"; return l }()},
			`not one run: url of worker "a" is "http://gateway/", of worker "b" "http://other/"`},
		{"a closed loop beside a rate", []any{line("a", 1, 1, 0)}, []any{func() *stream.Line { l := line("b", 1, 1, 0); l.Load.RateAsked = 0; return l }()},
			`not one run: constant rate of worker "a" is "true", of worker "b" "false"`},
		{"another version of the stream", []any{line("a", 1, 1, 0)}, []any{`{"stream":"mesh-split.dev/worker-stream/2","at":"soon"}` + "\n"},
			`two: line 1: it is in version "2" of the stream, this program reads "1"`},
		{"something else", []any{line("a", 1, 1, 0)}, []any{"{}\n"}, "two: line 1: it is not a worker's"},
		{"no JSON", []any{line("a", 1, 1, 0)}, []any{line("b", 1, 1, 0), "Killed\n"}, "two: line 2: invalid character 'K' looking for beginning of value"},
		{"nothing at all", []any{line("a", 1, 1, 0)}, nil, "two holds no line of a worker: the stream is empty"},
		{"two workers in one stream", []any{line("a", 1, 1, 0), line("b", 2, 1, 0)}, []any{line("c", 1, 1, 0), final(line("c", 2, 1, 0))},
			`one: line 2: it is of worker "b", the line before of "a"`},
		{"the same stream twice in a row", []any{line("a", 1, 1, 0), final(line("a", 1, 1, 0)), line("a", 1, 1, 0)}, []any{line("b", 1, 1, 0)},
			"one: line 3: it stands behind the final one"},
		{"counts that shrink", []any{line("a", 1, 5, 0), line("a", 2, 4, 4)}, []any{line("b", 1, 1, 0), line("b", 2, 1, 0)},
			"one: line 2: its counts are smaller than those of the line before"},
		{"counts that cannot be", []any{func() *stream.Line { l := line("a", 1, 5, 0); l.Evidence.Requests = 4; return l }()}, []any{line("b", 1, 1, 0)},
			"one: line 1: its counts contradict each other"},
		{"final counts that cannot be", []any{func() *stream.Line {
			l := final(line("a", 1, 5, 0))
			l.Final.Snapshot.Outcomes[load.Timeout] = 1
			return l
		}()}, []any{line("b", 1, 1, 0)},
			"one: line 1: its final counts contradict each other"},
	} {
		got := read(t, source(t, "one", row.a...), source(t, "two", row.b...))
		if got != row.want && !(strings.HasSuffix(got, row.want) && !strings.Contains(row.want, "whole")) {
			t.Errorf("%s:\ngot  %s\nwant %s", row.name, got, row.want)
		}
	}
}

// What a final line holds reads back as it was written, histograms included.
func TestFinalReadsBack(t *testing.T) {
	want := final(line("a", 1, 30, 12))
	want.Final.Snapshot.Versions[1].Service.Record(3 * time.Hour) // beyond the top bucket
	want.Final.Snapshot.Versions[1].Service.Record(-1)
	r := stream.NewReader("one", source(t, "one", want))
	got, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if !bytes.Equal(a, b) {
		t.Errorf("written %s\nread    %s", a, b)
	}
	h, w := got.Final.Snapshot.Versions[1].Service, want.Final.Snapshot.Versions[1].Service
	if h.Quantile(0.5) != w.Quantile(0.5) || h.Max != w.Max || h.Clamped != 1 || h.Mean() != w.Mean() {
		t.Errorf("the histogram changed on the way")
	}
}

// A reader that does not read holds up nobody; the final line is written all the same once it does.
func TestSlowReader(t *testing.T) {
	out, in := io.Pipe()
	w := stream.NewWriter(in)
	began := time.Now()
	for i := range int64(1000) {
		if err := w.Offer(line("a", i+1, uint64(i), 0)); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("1000 lines that nobody read took %v", d)
	}
	go func() { _ = w.Close(final(line("a", 2000, 1000, 7))); _ = in.Close() }()
	got := read(t, stream.Source{Name: "pipe", ReadCloser: out})
	if !strings.HasSuffix(got, "v2,v1 [7 1000]; a 1007 whole true; ") {
		t.Errorf("read %s", got)
	}
}

// A reader that is gone is seen at once, so that no load is sent for nobody.
func TestReaderGone(t *testing.T) {
	out, in := io.Pipe()
	w := stream.NewWriter(in)
	_ = out.Close()
	if err := w.Offer(line("a", 1, 1, 0)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-w.Broken():
	case <-time.After(5 * time.Second):
		t.Fatal("nobody reads, and nobody says so")
	}
	if err := w.Close(line("a", 2, 1, 0)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want the error of writing", err)
	}
}

// Whatever a stream holds is read or refused, and what is read is consistent.
func FuzzReader(f *testing.F) {
	for _, l := range []*stream.Line{line("a", 1, 3, 4), final(line("a", 2, 5, 5))} {
		octets, _ := json.Marshal(l)
		f.Add(append(octets, '\n'))
	}
	f.Add([]byte("{\"stream\":\"mesh-split.dev/worker-stream/1\"}\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := stream.NewReader("fuzz", bytes.NewReader(data))
		for {
			l, err := r.Next()
			if err != nil {
				return
			}
			sum := l.Evidence.Unattributed
			for _, n := range l.Evidence.Counts {
				sum += n
			}
			if sum != l.Evidence.Requests || l.Evidence.Sent > l.Sent {
				t.Fatalf("read %+v", l)
			}
			var all load.Totals
			totals := l.Totals()
			all.Add(&totals)
		}
	})
}
