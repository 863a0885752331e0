package load

import "slices"

// HideOther makes the replies in Other unattributed where one of these versions is not among the labels: whoever counted did not know
// them, and may have met them when no label was free any more. It says how many of the evidence that are. What t shares its
// lists with stays as it was.
func (t *Totals) HideOther(versions []string) (hidden uint64) {
	known := func(name string) bool { return slices.Contains(t.Labels, name) }
	if len(t.Labels) <= otherLabel || t.Labels[otherLabel] != Other || !slices.ContainsFunc(versions, func(name string) bool { return !known(name) }) {
		return 0
	}
	t.Labels = t.Labels[:otherLabel]
	hidden = t.Evidence.hideOther()
	t.Connections, t.Peers = slices.Clone(t.Connections), slices.Clone(t.Peers)
	for i := range t.Connections {
		t.Connections[i].hideOther()
	}
	for i := range t.Peers {
		t.Peers[i].hideOther()
	}
	if v := t.Snapshot.Versions; len(v) > otherLabel {
		var none VersionStats
		none.merge(&t.Snapshot.Unversioned)
		none.merge(&v[otherLabel])
		t.Snapshot.Unversioned, t.Snapshot.Versions = none, v[:otherLabel]
	}
	return hidden
}

func (e *Evidence) hideOther() uint64 {
	if len(e.Counts) <= otherLabel {
		return 0
	}
	n, failed := e.Counts[otherLabel], e.Failures[otherLabel]
	e.Unattributed += n
	e.UnattributedFailures += failed
	e.UnattributedErrors += failed
	e.UnattributedSlow += e.Slow[otherLabel]
	e.Counts, e.Failures, e.Slow = e.Counts[:otherLabel], e.Failures[:otherLabel], e.Slow[:otherLabel]
	return n
}
