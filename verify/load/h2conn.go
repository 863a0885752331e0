package load

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// h2conn drives one connection of HTTP/2 and its successors: it starts requests as their turns come, writes them together,
// reads, and hands each frame to its stream. Everything but kicks happens in one goroutine.
type h2conn struct {
	lane
	message *message // what request was made of
	request *h2Request
	wants   *h2wanted

	conn net.Conn
	in   []byte // what was read and is no whole frame yet, in the first have octets
	have int
	out  []byte // frames to write
	now  time.Duration

	long   bool      // content is too long to be written between reads
	beside *h2writer // then it is written beside them

	streams []h2stream
	free    []int // streams that have no request and wait for no turn
	places  []int // stream by id, modulo a power of two; a hint
	busy    int   // streams with a request
	queued  int   // streams that wait for their turn
	begun   int   // requests on this connection
	ending  bool  // nothing more is to be sent by anyone

	nextID      uint32
	limit       int    // streams at once, by us and by the far side
	frame       int    // octets in a frame, at most, of the far side
	window      int64  // octets of content we may send, over all streams
	initial     int64  // and on a new stream
	owed        uint32 // octets of content that came and were not given back to the window
	settled     bool   // the far side's settings have come
	closing     *atomic.Uint64
	unwritable  bool // reading goes on, for what came first
	heard       time.Duration
	blockOf     uint32 // the stream whose header block goes on in CONTINUATION frames, 0: none
	blockEnds   bool   // and ends with it
	block       []byte
	blockFrames int
	scratch     bytes.Buffer

	reads, writes time.Duration // deadlines that the socket has; 0: none
	kicked        atomic.Bool

	mu       sync.Mutex // guards what follows
	locked   net.Conn   // conn, for those who only end its reads
	summoned []int      // streams whose turn has come
	calls    []int      // those before, being served
}

// h2stream is a place for one request at a time.
type h2stream struct {
	h2reply
	index  int
	ticket ticket
	queued bool
	id     uint32 // 0: no request
	res    result
	body   []byte // what is not sent yet
	own    []byte // the content, where each request has another
	window int64
	owed   uint32
}

// h2buffer holds at least one whole frame. A connection reads into as much only once a frame asks for it: replies to a load are
// small, and the memory of a run shall not depend on how many of them once came together.
const h2buffer = 2 * (defaultFrame + frameHead)

func newH2Conn(x *run, slot int, wants *h2wanted, ready func()) *h2conn {
	places := 4
	for places < 2*x.plan.Streams {
		places *= 2
	}
	c := &h2conn{lane: newLane(x, slot, x.r.scribe(slot), ready), wants: wants, in: make([]byte, readBuffer),
		long:    len(x.plan.Request)-headEnd(x.plan.Request) > inlineWrite/x.plan.Streams,
		streams: make([]h2stream, x.plan.Streams), places: make([]int, places)}
	for i := range c.streams {
		s := &c.streams[i]
		s.index, s.h2reply = i, h2reply{Parser: NewParser(x.plan.Identify, x.plan.Marks)}
		s.ticket.kick = func() { c.summon(i) }
	}
	return c
}

// summon has the loop look around, because the turns of some streams have come or for something else. The loop looks after
// it has set a deadline for reading; whoever comes later than the look moves that deadline into the past.
func (c *h2conn) summon(streams ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.summoned = append(c.summoned, streams...)
	c.kicked.Store(true)
	if c.locked != nil {
		_ = c.locked.SetReadDeadline(past)
	}
}

// kickAny ends the pending read or write of whatever connection there is.
func (c *h2conn) kickAny() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kicked.Store(true)
	if c.locked != nil {
		_ = c.locked.SetDeadline(past)
	}
}

func (c *h2conn) work() {
	defer c.scribe.flush()
	for {
		if c.conn == nil && !c.connect(c.open) {
			return
		}
		if !c.serve() {
			c.linger()
			c.drop()
			return
		}
	}
}

// open opens a connection and awaits the far side's settings: before them nobody knows how many requests it takes.
func (c *h2conn) open() (Outcome, error) {
	conn, _, outcome, err := c.dial()
	if err != nil {
		return outcome, err
	}
	if secure, ok := conn.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol != "h2" {
		_ = conn.Close()
		return TLSError, errors.New("the far side does not choose HTTP/2 by ALPN; try --http 1.1")
	}
	c.begins(conn)
	c.reads, c.writes = c.now+c.x.plan.DialTimeout, c.now+c.x.plan.DialTimeout
	_ = conn.SetDeadline(c.x.r.base.Add(c.reads))
	for !c.settled {
		c.flush()
		n, err := c.conn.Read(c.in[c.have:])
		c.have += n
		fault := c.take()
		switch {
		case bytes.HasPrefix(c.in[:c.have], []byte(protocol)):
			err = errors.New("the far side answers in HTTP/1; try --http 1.1")
		case fault != nil:
			err = fmt.Errorf("the far side does not speak HTTP/2: %s", fault.why)
		case err == nil && c.closing != nil:
			err = errors.New("the far side ends the connection at once")
		case err == nil || c.settled:
			continue
		default:
			err = fmt.Errorf("the far side sends no HTTP/2 settings: %w", err)
		}
		c.drop()
		if isAlert(err) {
			return TLSError, err // behind the handshake: RFC 8446, 4.4.2
		}
		return DialError, err
	}
	if c.long {
		c.beside = newH2Writer(c)
	}
	return NoOutcome, nil
}

// begins readies everything for a new connection.
func (c *h2conn) begins(conn net.Conn) {
	c.mu.Lock()
	c.conn, c.locked = conn, conn
	c.mu.Unlock()
	c.have, c.out = 0, append(c.out[:0], h2preface...)
	c.busy, c.queued, c.begun, c.free = 0, 0, 0, c.free[:0]
	for i := range c.streams {
		c.free = append(c.free, len(c.streams)-1-i)
	}
	c.nextID, c.limit, c.frame, c.window, c.initial, c.owed = 1, len(c.streams), defaultFrame, firstWindow, firstWindow, 0
	c.settled, c.closing, c.unwritable, c.blockOf = false, nil, false, 0
	c.now = c.x.r.now()
	c.heard = c.now
}

// serve sends and receives until the connection is over, which is true if another may follow it.
func (c *h2conn) serve() bool {
	for {
		c.now = c.x.r.now()
		if c.x.aborting.Load() {
			c.endAll(GivenUp)
			return false
		}
		if c.kicked.Swap(false) {
			c.reads = 0 // the kick has moved it
			c.answer()
		}
		c.expire()
		c.start()
		if c.busy == 0 && (c.ending || c.closing != nil) {
			c.flush()
			if c.closing == nil {
				return false
			}
			c.closing.Add(1)
			c.drop()
			c.unused(nil)
			return !c.ending
		}
		c.feed()
		c.flush()
		if c.busy == 0 || c.x.plan.Rate > 0 {
			c.scribe.flush() // before a wait that may be long
		}
		c.arm()
		if c.kicked.Load() {
			continue
		}
		n, err := c.conn.Read(c.in[c.have:])
		c.have += n
		c.now = c.x.r.now()
		if n > 0 {
			c.heard = c.now
			if fault := c.take(); fault != nil {
				c.blame(fault)
				return !c.ending
			}
		}
		if err == nil {
			continue
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.reads = 0
			continue
		}
		c.lost(err)
		return !c.ending
	}
}

// arm sets the deadline of the next read: the next look at the replies' deadlines while there are any, else none.
func (c *h2conn) arm() {
	want := time.Duration(-1)
	if c.busy > 0 {
		want = c.now + min(sweepEvery, c.x.plan.ReplyTimeout/10)
		if c.reads > c.now && c.reads <= want {
			return
		}
		_ = c.conn.SetReadDeadline(c.x.r.base.Add(want))
	} else if c.reads != want {
		_ = c.conn.SetReadDeadline(time.Time{})
	}
	c.reads = want
}

// leave begins no more requests here, for a reason that is counted when the last reply is in.
func (c *h2conn) leave(why *atomic.Uint64) {
	if c.closing == nil {
		c.closing = why
	}
}

// lost ends the connection that the far side has ended. A head that was cut had begun all the same.
func (c *h2conn) lost(err error) {
	e := &c.x.r.events
	if b := c.in[:c.have]; len(b) >= frameHead && b[3] == frameHeaders {
		if s := c.find(binary.BigEndian.Uint32(b[5:]) & maxStreamID); s != nil {
			s.started = true
		}
	}
	switch {
	case c.closing != nil:
	case c.busy == 0:
		c.closing = &e.closedIdle
	default:
		c.closing = &e.failed
	}
	c.closing.Add(1)
	if c.busy > 0 {
		c.x.r.notes.add(Reset, err.Error)
	}
	c.endAll(Cut)
	c.drop()
	c.unused(err)
}

// blame ends the connection for a fault of the far side.
func (c *h2conn) blame(fault *h2fault) {
	e := &c.x.r.events
	if c.busy == 0 {
		e.unsolicited.Add(1)
	} else {
		e.failed.Add(1)
	}
	for i := range c.streams {
		if s := &c.streams[i]; s.id != 0 && (fault.stream == 0 || fault.stream == s.id) {
			s.fail(fault.outcome, fault.why)
			c.end(s, Done)
		}
	}
	c.endAll(Cut)
	c.out = appendGoAway(c.out[:0], fault.code)
	c.writes = 0
	c.flush()
	c.drop()
	c.unused(nil)
}

// endAll ends every request that is left.
func (c *h2conn) endAll(how End) {
	for i := range c.streams {
		if s := &c.streams[i]; s.id != 0 {
			c.end(s, how)
		}
	}
}

// drop closes the connection. Turns that its streams wait for go to others.
func (c *h2conn) drop() {
	if c.conn == nil {
		return
	}
	for i := range c.streams {
		s := &c.streams[i]
		if !s.queued {
			continue
		}
		s.queued = false
		if c.x.turns.resume(&s.ticket) == send {
			c.x.turns.giveBack(&s.ticket)
		}
	}
	c.mu.Lock()
	c.locked, c.summoned = nil, c.summoned[:0]
	c.mu.Unlock()
	_ = c.conn.Close()
	if c.beside != nil {
		c.beside.end()
		c.beside = nil
	}
	c.kicked.Store(false)
	c.conn = nil
}

// linger reads on after the last request, so that late octets are seen.
func (c *h2conn) linger() {
	if c.conn == nil || c.x.plan.Linger == 0 || c.x.aborting.Load() {
		return
	}
	c.scribe.flush()
	_ = c.conn.SetReadDeadline(time.Now().Add(c.x.plan.Linger))
	for {
		n, err := c.conn.Read(c.in[c.have:])
		c.have += n
		switch {
		case c.take() != nil:
			c.x.r.events.unsolicited.Add(1)
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		case err != nil:
			c.x.r.events.closedIdle.Add(1)
			return
		}
	}
}
