package load

// Hand sends the requests of one worker by hand, one at a time and without I/O: for those who check what evidence a
// [Recorder] makes of requests whose order is prescribed.
type Hand struct {
	scribe *scribe
	epoch  uint64
}

// Hand is the hand of a worker, from 0 to the plan's Connections less one. It belongs to one goroutine.
func (r *Recorder) Hand(worker int) *Hand { return &Hand{scribe: r.scribe(worker)} }

// Send says that a request leaves now; false, and nothing, when the plan's cap is reached.
func (h *Hand) Send() bool {
	if !h.scribe.r.budget.take(h.scribe.number) {
		return false
	}
	h.epoch = h.scribe.begin()
	return true
}

// End says how it ended, and with which version, if any. Its times are all zero, so that no epoch ends by the way: those are
// ended by [Recorder.Cut].
func (h *Hand) End(o Outcome, version string) {
	res := result{epoch: h.epoch, outcome: o, label: Unattributed, status: 200}
	if version != "" {
		res.label = h.scribe.label([]byte(version))
	}
	h.scribe.end(res)
	h.scribe.flush()
}
