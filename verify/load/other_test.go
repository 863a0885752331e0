package load

import (
	"fmt"
	"slices"
	"testing"
)

// What a worker counted as Other is Other for whoever asks about versions that the worker knew, and may be any version's for whoever
// asks about another.
func TestHideOther(t *testing.T) {
	of := func() Totals {
		t := Totals{}
		for i := range MaxLabels {
			t.Labels = append(t.Labels, fmt.Sprint("build-", i))
		}
		t.Labels = append(t.Labels, Other)
		e := Evidence{Requests: 70, Sent: 70, Unattributed: 1, UnattributedFailures: 1, Counts: make([]uint64, MaxLabels+1), Failures: make([]uint64, MaxLabels+1),
			Slow: make([]uint64, MaxLabels+1)}
		e.Counts[0], e.Counts[MaxLabels], e.Failures[MaxLabels], e.Slow[MaxLabels] = 29, 40, 7, 3
		t.Evidence, t.Connections, t.Peers = e, []Evidence{e}, []Peer{{"10.0.0.1:80", e}}
		t.Snapshot.Versions = make([]VersionStats, MaxLabels+1)
		t.Snapshot.Versions[MaxLabels].Requests = 40
		return t
	}
	known := of()
	if n := known.HideOther([]string{"build-3", "build-31"}); n != 0 || len(known.Labels) != MaxLabels+1 || known.Evidence.Counts[MaxLabels] != 40 {
		t.Errorf("%d hidden of versions that are all known: %+v", n, known.Evidence)
	}
	from := of()
	hidden := from
	if n := hidden.HideOther([]string{"build-3", "v2"}); n != 40 || slices.Contains(hidden.Labels, Other) {
		t.Errorf("%d hidden, labels %q; want 40, none of them %s", n, hidden.Labels, Other)
	}
	for _, e := range []Evidence{hidden.Evidence, hidden.Connections[0], hidden.Peers[0].Evidence} {
		if e.Unattributed != 41 || e.UnattributedFailures != 8 || e.UnattributedErrors != 7 || e.UnattributedSlow != 3 || len(e.Counts) != MaxLabels || e.Requests != 70 {
			t.Errorf("evidence %+v", e)
		}
	}
	if hidden.Snapshot.Unversioned.Requests != 40 || len(hidden.Snapshot.Versions) != MaxLabels {
		t.Errorf("unversioned %d of %d versions", hidden.Snapshot.Unversioned.Requests, len(hidden.Snapshot.Versions))
	}
	if from.Connections[0].Unattributed != 1 || from.Peers[0].Counts[MaxLabels] != 40 || from.Snapshot.Unversioned.Requests != 0 {
		t.Error("what it was made from has changed")
	}
}
