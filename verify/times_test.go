package verify

import (
	"slices"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/report"
)

// Replies with and without a version are all there, in buckets whose edges are 1, 2 and 5 in each decade.
func TestTimes(t *testing.T) {
	s := load.Snapshot{Versions: make([]load.VersionStats, 2), RateAsked: 10}
	for _, d := range []time.Duration{900 * time.Nanosecond, 1500 * time.Nanosecond, 90 * time.Microsecond, 300 * time.Microsecond} {
		s.Versions[0].Service.Record(d)
	}
	s.Versions[1].Service.Record(400 * time.Microsecond)
	s.Unversioned.Service.Record(3 * time.Second)
	got := times(&s)
	want := []report.Bucket{{To: 1e-6, Count: 1}, {To: 2e-6, Count: 1}, {To: 1e-4, Count: 1}, {To: 5e-4, Count: 2}, {To: 5, Count: 1}}
	if !slices.Equal(got.Histogram, want) || got.Response == nil || got.Service.Max != 3 {
		t.Errorf("got %+v, want buckets %v", got, want)
	}
	if times(&load.Snapshot{}) != nil {
		t.Error("no replies have times")
	}
}
