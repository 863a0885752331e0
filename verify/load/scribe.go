package load

import "time"

// batchSize is how many outcomes a worker collects before it locks its shard, and batchTime how long it holds them back.
const (
	batchSize = 16
	batchTime = time.Millisecond
)

// result is one request's end. Times are since the recorder's base.
type result struct {
	epoch    uint64
	intended time.Duration // when it should have been sent; equal to sent in a closed loop
	sent     time.Duration // just before the first octet; for a dial that failed, its beginning
	received time.Duration // just after the last
	slot     uint16        // the connection
	peer     uint8         // the address it leads to, an index
	dial     uint32        // how many connections the slot has opened
	status   uint16
	outcome  Outcome
	label    int8  // index or Unattributed
	grpc     int16 // of a judged reply: grpc-status, noGRPCStatus without one
	judged   bool  // by grpc-status, beside everything else
}

// scribe is a worker's pen. It belongs to one goroutine.
type scribe struct {
	r      *Recorder
	shard  *shard
	number int // of the shard
	mark   *mark
	open   window
	batch  [batchSize]result
	n      int
	first  time.Duration // when the oldest of the batch was received
	last   int           // the label seen last
}

func (r *Recorder) scribe(worker int) *scribe {
	n := worker % len(r.shards)
	return &scribe{r: r, shard: r.shards[n], number: n, mark: &r.marks[worker]}
}

// begin stamps a request that is about to leave. The mark is published before the epoch is read for good: whoever ends the
// epoch afterwards sees the mark, and the epoch stays open until the request is counted.
func (s *scribe) begin() uint64 {
	if s.open.count > 0 { // the mark is old enough
		e := s.r.epoch.Load()
		s.open.open(e)
		return e
	}
	for {
		e := s.r.epoch.Load()
		s.mark.oldest.Store(e)
		if s.r.epoch.Load() == e {
			s.open.open(e)
			return e
		}
	}
}

// end records how a request ended. Call flush when the worker is about to wait.
func (s *scribe) end(res result) {
	if s.n == 0 {
		s.first = res.received
	}
	s.batch[s.n] = res
	s.n++
	if s.n == batchSize || res.received-s.first >= batchTime {
		s.flush()
	}
}

// flush hands the batch to the shard; the worker's mark rises only after that.
func (s *scribe) flush() {
	if s.n == 0 {
		return
	}
	batch := s.batch[:s.n]
	s.shard.mu.Lock()
	for i := range batch {
		s.shard.add(&batch[i])
	}
	s.shard.mu.Unlock()
	for i := range batch {
		s.open.done(batch[i].epoch)
	}
	oldest := uint64(noEpoch)
	if s.open.count > 0 {
		oldest = s.open.from
	}
	s.mark.oldest.Store(oldest)
	s.r.resolved.Add(uint64(s.n))
	s.r.tick(batch[s.n-1].received)
	s.n = 0
}

// label turns the octets of a label into its index.
func (s *scribe) label(octets []byte) int8 {
	if octets == nil {
		return Unattributed
	}
	s.last = s.r.labels.index(octets, s.last)
	return int8(s.last)
}
