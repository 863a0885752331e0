package load

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// readBuffer is the size of a connection's buffer at first. It grows only for a long line of a head; bodies are dropped as
// they come.
const readBuffer = 8 << 10

// inlineWrite is the largest request that is written before reading begins: it fits into a socket's buffer. Longer ones
// are written beside the reading, for a reply may come before they are sent.
const inlineWrite = 32 << 10

// past is a deadline that ends a pending read.
var past = time.Unix(1, 0)

// worker drives one lane of the portable engine: it dials, waits for its turn with a read pending, sends, reads the reply,
// records, and dials again when the connection is lost.
type worker struct {
	lane
	conn    net.Conn // nil when not connected
	wire    *wire    // conn, or what lies below it under TLS
	buf     []byte
	written chan struct{}
	until   time.Duration // the deadline of the request, since the recorder's base
	armed   time.Duration // what the connection's deadline is set to, never later than until; 0: none, or somebody else's

	mu     sync.Mutex // guards locked
	locked net.Conn   // conn, for those who only end its reads
}

func newWorker(x *run, slot int, ready func()) *worker {
	w := &worker{lane: newLane(x, slot, x.r.scribe(slot), ready), buf: make([]byte, readBuffer), written: make(chan struct{}, 1)}
	w.ticket.kick = func() { _ = w.conn.SetReadDeadline(past) }
	return w
}

// kickAny ends the pending read of whatever connection there is.
func (w *worker) kickAny() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.locked != nil {
		_ = w.locked.SetDeadline(past)
	}
}

// open opens a connection.
func (w *worker) open() (outcome Outcome, err error) {
	conn, below, outcome, err := w.dial()
	if err != nil {
		return outcome, err
	}
	w.conn, w.wire, w.armed = conn, below, 0
	w.mu.Lock()
	w.locked = conn
	w.mu.Unlock()
	return NoOutcome, nil
}

func (w *worker) work() {
	defer w.scribe.flush()
	for {
		if w.conn == nil && !w.connect(w.open) {
			return
		}
		switch w.await() {
		case quit:
			w.linger()
			w.drop()
			return
		case send:
			if w.x.plan.Peek && !w.quiet() {
				w.x.turns.giveBack(&w.ticket)
				w.drop()
				w.unused(nil)
				continue
			}
			if !w.exchange() {
				w.linger()
				w.drop()
				return
			}
		}
	}
}

// await waits for this connection's turn. A read is pending all the while, so that octets nobody asked for, or the end of
// the connection, are seen before the next request leaves. The answer is wait when the connection was lost.
func (w *worker) await() turn {
	if w.x.stopping.Load() {
		return quit
	}
	if w.x.turns.closed.Load() { // closed loop: no wait, no lock
		w.ticket.intended = -1
		return send
	}
	w.scribe.flush()
	_ = w.conn.SetReadDeadline(time.Time{})
	w.armed = 0
	answer := w.x.turns.arrive(&w.ticket)
	for answer == wait {
		n, err := w.conn.Read(w.buf)
		strange := n > 0 && !w.parser.Idle(w.buf[:n])
		if err == nil && !strange && !w.kicked() {
			continue // line ends; the ticket is still queued
		}
		answer = w.x.turns.resume(&w.ticket)
		if err == nil && !strange || errors.Is(err, os.ErrDeadlineExceeded) && !strange {
			if answer == wait { // not our turn after all
				_ = w.conn.SetReadDeadline(time.Time{})
				answer = w.x.turns.arrive(&w.ticket)
			}
			continue
		}
		if strange {
			w.x.r.events.unsolicited.Add(1)
		} else {
			w.x.r.events.closedIdle.Add(1)
		}
		w.drop()
		w.unused(err)
		if answer == send {
			w.x.turns.giveBack(&w.ticket)
			answer = wait
		}
		return answer
	}
	return answer
}

// kicked is only a hint for the rare read that brings line ends just when the turn comes.
func (w *worker) kicked() bool {
	w.x.turns.mu.Lock()
	defer w.x.turns.mu.Unlock()
	return !w.ticket.queued
}

// quiet looks whether octets came that nobody asked for, or the end, just before a request leaves. Under TLS some octets
// are no content of the stream: what lies in the socket is only then read, and for a moment awaited.
func (w *worker) quiet() bool {
	for pending(w.wire) {
		w.armed = 0
		_ = w.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		n, err := w.conn.Read(w.buf)
		switch {
		case n > 0 && !w.parser.Idle(w.buf[:n]):
			w.x.r.events.unsolicited.Add(1)
			return false
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			w.x.r.events.closedIdle.Add(1)
			return false
		case n == 0:
			return true
		}
	}
	return true
}

// exchange sends one request and reads its reply; false when nothing more is to be sent.
func (w *worker) exchange() bool {
	res, last, ok := w.begin(w.x.r.now())
	if !ok {
		return false
	}
	request := w.octets(last)
	long := len(request) > inlineWrite
	w.arm(res.sent, long)
	if long {
		go w.write(w.conn, request)
	} else {
		// An error here shows again when reading, behind whatever reply came first.
		w.wire.holding = true
		_, _ = w.conn.Write(request)
		w.wire.holding = false
	}
	end, surplus := w.read()
	res.received = w.x.r.now()
	w.end(&res, end)
	sent := true
	if long {
		select {
		case <-w.written:
		default:
			sent = false // the reply came first: it counts, and the rest of the request is not worth sending
		}
	}
	if reason := w.dropFor(res.outcome, last, surplus, sent); reason != nil {
		reason.Add(1)
		w.drop()
	}
	if !sent {
		<-w.written // closing has ended it
	}
	return true
}

// arm sets the deadline of a request. Setting the connection's costs as much as parsing a reply, so the one of an earlier request
// stays while half of its time is left: it ends a read too early, if at all, and read then goes on. For a long request it is
// set exactly, for it ends writes too.
func (w *worker) arm(sent time.Duration, exactly bool) {
	w.until = sent + w.x.plan.ReplyTimeout
	reach := w.x.plan.ReplyTimeout
	if w.wire.direct != nil {
		reach = min(reach, glance)
	}
	if exactly {
		w.setDeadline(w.until)
	} else if w.armed-sent < reach/2 {
		w.setDeadline(sent + reach)
	}
}

func (w *worker) setDeadline(at time.Duration) {
	w.armed = at
	_ = w.conn.SetDeadline(w.x.r.base.Add(at))
}

// write sends a long request beside the reading of its reply.
func (w *worker) write(conn net.Conn, request []byte) {
	_, _ = conn.Write(request)
	w.written <- struct{}{}
}

// read feeds the parser until the reply or the connection is over. surplus says that something else than line ends
// followed the reply.
func (w *worker) read() (end End, surplus bool) {
	have := 0
	for {
		n, err := w.conn.Read(w.buf[have:])
		if err == nil {
			w.wire.release() // TLS gave what it had
		}
		if have += n; n > 0 {
			used, done := w.parser.Feed(w.buf[:have])
			if done {
				return Done, used < have && !w.parser.Idle(w.buf[used:have])
			}
			have = copy(w.buf, w.buf[used:have])
			if have == len(w.buf) {
				w.buf = append(w.buf, make([]byte, len(w.buf))...)
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if w.x.aborting.Load() {
				return GivenUp, false
			}
			if w.armed < w.until { // of an earlier request, or a glance
				w.setDeadline(w.until)
				continue
			}
			return Deadline, false
		case err == io.EOF && !w.wire.endedRaw():
			return Closed, false
		default:
			w.cause = err
			return Cut, false
		}
	}
}

// linger reads on after the last request, so that late octets are seen.
func (w *worker) linger() {
	if w.conn == nil || w.x.plan.Linger == 0 {
		return
	}
	w.scribe.flush()
	_ = w.conn.SetReadDeadline(time.Now().Add(w.x.plan.Linger))
	for {
		n, err := w.conn.Read(w.buf)
		switch {
		case n > 0 && !w.parser.Idle(w.buf[:n]):
			w.x.r.events.unsolicited.Add(1)
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case err != nil:
			w.x.r.events.closedIdle.Add(1)
			return
		}
	}
}

// drop closes the connection.
func (w *worker) drop() {
	if w.conn == nil {
		return
	}
	w.mu.Lock()
	w.locked = nil
	w.mu.Unlock()
	_ = w.conn.Close()
	w.conn, w.wire = nil, nil
}
