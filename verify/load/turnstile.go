package load

import (
	"sync"
	"sync/atomic"
	"time"
)

// turnstile says which connection sends next, and when. In a closed loop that is whoever has its reply. At a constant
// rate, slot i falls due at t(i) and goes to the connection that has been idle longest, so a stuck connection holds back
// nothing else and none is left out: a stale gateway must not hide behind hot connections. A slot that falls due while no
// connection is free waits for the next that is, and is sent late.
type turnstile struct {
	now    func() time.Duration
	closed atomic.Bool   // closed loop, and open: no lock is needed
	stop   chan struct{} // closed when nothing more is to be sent
	wake   chan struct{} // to the pacer: someone is idle, or the schedule has changed

	mu       sync.Mutex // guards what follows, and the queue fields of all workers
	opened   bool       // t0 is over
	stopping bool
	schedule schedule
	next     uint64
	notes    *paceNotes
	eased    time.Duration // when the rate was halved last; 0: never

	head, tail *ticket // idle connections, longest first
}

// ticket is a connection's place in the queue.
type ticket struct {
	kick       func() // ends the connection's pending read; called with the turnstile locked
	prev, next *ticket
	queued     bool
	called     bool          // it is this connection's turn
	intended   time.Duration // for the slot that begins at
}

// turn is the turnstile's answer.
type turn uint8

const (
	wait turn = iota // in the queue: read until kicked, then call resume
	send             // now, for the slot at the ticket's intended time
	quit             // nothing more is to be sent
)

// arrive is called by a connection that has become free.
func (t *turnstile) arrive(k *ticket) turn {
	if t.closed.Load() {
		k.intended = -1
		return send
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.stopping:
		return quit
	case t.opened && t.schedule.rate == 0:
		k.intended = -1
		return send
	case t.opened && t.head == nil && t.schedule.at(t.next) <= t.now():
		t.assign(k)
		if t.now()-k.intended > behindLag {
			t.notes.lateBusy.Add(1)
		}
		return send
	}
	t.push(k)
	return wait
}

// resume is called by a queued connection whose read has ended, for whatever reason; it leaves the queue.
func (t *turnstile) resume(k *ticket) turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	called := k.called
	k.called = false
	if k.queued {
		t.remove(k)
	}
	switch {
	case called:
		t.notes.free.Add(1)
		if t.now()-k.intended > behindLag {
			t.notes.lateIdle.Add(1)
		}
		return send
	case t.stopping:
		return quit
	}
	return wait
}

// giveBack returns a slot whose connection ended before it could be used, to the connection that is idle longest. With
// none idle the slot is lost to the count of overdue ones only if sending stops before its turn comes round again.
func (t *turnstile) giveBack(k *ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.schedule.rate == 0 {
		return
	}
	if h := t.head; h != nil && !t.stopping {
		t.remove(h)
		h.intended, h.called = k.intended, true
		h.kick()
		return
	}
	if t.next > t.schedule.from {
		t.next-- // the slot numbers are only times: the last one is sent late instead of this
	}
}

// assign gives the next slot to a connection. Locked.
func (t *turnstile) assign(k *ticket) {
	k.intended = t.schedule.at(t.next)
	t.next++
}

func (t *turnstile) push(k *ticket) {
	k.queued, k.called, k.prev, k.next = true, false, t.tail, nil
	if t.tail == nil {
		t.head = k
		t.nudge()
	} else {
		t.tail.next = k
	}
	t.tail = k
}

func (t *turnstile) remove(k *ticket) {
	if k.prev == nil {
		t.head = k.next
	} else {
		k.prev.next = k.next
	}
	if k.next == nil {
		t.tail = k.prev
	} else {
		k.next.prev = k.prev
	}
	k.queued, k.prev, k.next = false, nil, nil
}

func (t *turnstile) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// open begins the sending.
func (t *turnstile) open() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened, t.schedule.start = true, t.now()
	if t.schedule.rate > 0 {
		t.nudge()
		return
	}
	t.closed.Store(true)
	for k := t.head; k != nil; k = t.head {
		t.remove(k)
		k.called, k.intended = true, -1
		k.kick()
	}
}

// halt ends the sending and says how many slots were overdue, of a number that the cap still allowed.
func (t *turnstile) halt(allowed uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopping {
		return
	}
	t.stopping = true
	t.closed.Store(false)
	close(t.stop)
	if t.opened && t.schedule.rate > 0 {
		// A slot that fell due this very moment is not late yet.
		if due := t.schedule.due(t.now() - behindLag); due > t.next {
			t.notes.overdue.Store(min(due-t.next, allowed))
		}
	}
	for k := t.head; k != nil; k = t.head {
		t.remove(k)
		k.kick()
	}
}

// ease halves the rate because the far side asked for it; one halving must show before the next. achieved is the rate of a
// closed loop so far.
func (t *turnstile) ease(cause string, since time.Duration, achieved float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if t.stopping || !t.opened || t.eased > 0 && now-t.eased < easeEvery {
		return
	}
	t.eased = now
	from := achieved
	if t.schedule.rate > 0 {
		from = max(t.schedule.rateAt(now), 1)
	}
	t.schedule = t.schedule.eased(now, t.next, from)
	t.closed.Store(false)
	t.notes.mu.Lock()
	t.notes.slowed++
	if len(t.notes.backoffs) < maxBackoffs {
		t.notes.backoffs = append(t.notes.backoffs, Backoff{At: now - since, Cause: cause, From: from, To: t.schedule.rate})
	}
	t.notes.mu.Unlock()
	t.nudge()
}

// easeEvery is a choice: replies already on their way must not halve the rate again. maxBackoffs bounds the list; from any
// rate it is 1/s by then.
const (
	easeEvery   = time.Second
	maxBackoffs = 64
)

// pace hands out slots as they fall due, until stop. It is its own goroutine.
func (t *turnstile) pace() {
	release := func() {}
	defer func() { release() }()
	spare := false
	for {
		t.mu.Lock()
		for t.opened && !t.stopping && t.schedule.rate > 0 && t.head != nil {
			due := t.schedule.at(t.next)
			late := t.now() - due
			if late < 0 {
				break
			}
			k := t.head
			t.remove(k)
			t.assign(k)
			k.called = true
			k.kick()
		}
		due := time.Duration(-1)
		if t.opened && t.schedule.rate > 0 && t.head != nil {
			due = t.schedule.at(t.next)
		}
		stopping := t.stopping
		t.mu.Unlock()
		if stopping {
			return
		}
		if due < 0 {
			select {
			case <-t.wake:
			case <-t.stop:
				return
			}
			continue
		}
		if !spare {
			// This goroutine sleeps in the kernel and holds its processor meanwhile. Where that is the only one (a container of one
			// CPU), replies would lie unread until the scheduler takes it away: after a pause of the far side 60 ms, for good.
			release, spare = spareProcessor(1), true
		}
		t.sleepUntil(due)
	}
}

// sleepUntil sleeps until a slot falls due or stop. The runtime's timers may be a millisecond late when nothing else runs
// (golang/go#44343), so the last stretch is slept by the system's own call where there is one.
func (t *turnstile) sleepUntil(due time.Duration) {
	if coarse := due - t.now() - finestTimer; coarse > 0 {
		timer := time.NewTimer(coarse)
		select {
		case <-timer.C:
		case <-t.stop:
		}
		timer.Stop()
	}
	if rest := due - t.now(); rest > 0 {
		preciseSleep(min(rest, finestTimer))
	}
}

const finestTimer = 1500 * time.Microsecond
