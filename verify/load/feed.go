package load

import "time"

// feedSize bounds what waits for a reader, per shard.
const feedSize = 4096

// Change is one routed request as change detection wants it: each connection by itself, in its send order.
type Change struct {
	Sent       time.Duration // since the recorder was made
	Label      int           // index or Unattributed
	Connection int           // slot
	Dial       int           // how many connections the slot has opened: a new one begins a new sequence
}

// feed is a bounded queue. When nobody reads, a connection's sequence becomes void; nothing ever waits.
type feed struct {
	queue []Change
	void  []uint32 // by slot of the shard: the dial whose sequence has a hole
}

func (f *feed) add(c Change, slot int) {
	if int(f.void[slot]) == c.Dial {
		return
	}
	if len(f.queue) == feedSize {
		f.void[slot] = uint32(c.Dial)
		return
	}
	if f.queue == nil {
		f.queue = make([]Change, 0, feedSize)
	}
	f.queue = append(f.queue, c)
}

// Changes appends what came since the last call to into, each connection in its send order, and says how many
// connections' sequences are void, because so much came that the feed overflowed before this call.
func (r *Recorder) Changes(into []Change) (changes []Change, void int) {
	for _, s := range r.shards {
		s.mu.Lock()
		into = append(into, s.feed.queue...)
		s.feed.queue = s.feed.queue[:0]
		for _, dial := range s.feed.void {
			if dial > 0 {
				void++
			}
		}
		s.mu.Unlock()
	}
	return into, void
}

// At is the moment a Change was sent.
func (r *Recorder) At(sent time.Duration) time.Time { return r.base.Add(sent) }
