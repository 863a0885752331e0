package load

import (
	"syscall"
	"time"
)

// socketState is what a connection of the epoll engine is doing.
type socketState uint8

const (
	pausing   socketState = iota // until the next dial
	dialling                     // connect is under way
	idle                         // in the turnstile's queue
	busy                         // a request is outstanding
	lingering                    // after the last request
	over                         // for good
)

// socket drives one lane of the epoll engine. Everything is done on its loop's thread.
type socket struct {
	lane
	loop       *loop
	index      int32 // in the loop
	generation int32 // of the connection: events carry it, so that those of an older one are known
	fd         int   // -1 when there is none
	state      socketState
	until      time.Duration // the deadline of the state, since the recorder's base
	place      address

	res     result
	last    bool
	request []byte // what is still to be written
	rest    []byte // octets of an unfinished line
	hangup  bool   // the far side has ended its stream: it will be seen when reading
}

// event is called when something has changed on the socket.
func (s *socket) event(what uint32) {
	if what&(syscall.EPOLLRDHUP|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 {
		s.hangup = true
	}
	switch s.state {
	case dialling:
		s.dialled(what)
	case busy:
		if len(s.request) > 0 && what&syscall.EPOLLOUT != 0 {
			s.write()
		}
		if s.state == busy && what&^uint32(syscall.EPOLLOUT) != 0 {
			s.read()
		}
	case idle, lingering:
		if what&^uint32(syscall.EPOLLOUT) != 0 {
			s.idleRead()
		}
	}
}

// free asks for this connection's turn. now is a recent reading of the clock.
func (s *socket) free(now time.Duration) {
	s.state = idle
	if s.hangup {
		// The end of the stream came with the reply: the next request would only be lost.
		s.lost(&s.x.r.events.closedIdle)
		return
	}
	answer := quit
	if !s.x.stopping.Load() {
		answer = s.x.turns.arrive(&s.ticket)
	}
	s.follow(answer, now)
}

// turn is called when the turnstile has kicked this connection.
func (s *socket) turn() {
	if s.state != idle {
		return
	}
	answer := s.x.turns.resume(&s.ticket)
	if answer == wait { // not our turn after all
		answer = s.x.turns.arrive(&s.ticket)
	}
	s.follow(answer, s.x.r.now())
}

// follow does what the turnstile says.
func (s *socket) follow(answer turn, now time.Duration) {
	switch answer {
	case send:
		if s.x.plan.Peek && !s.quiet() {
			s.x.turns.giveBack(&s.ticket)
			s.shut()
			s.unused(nil)
			s.redial()
			return
		}
		s.send(now)
	case quit:
		s.quit()
	}
}

// quiet looks whether octets came that nobody asked for, or the end, just before a request leaves.
func (s *socket) quiet() bool {
	for {
		buf := s.loop.buf
		n, errno := receive(s.fd, buf)
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			return true
		case errno == 0 && n > 0 && s.parser.Idle(buf[:n]):
		case errno == 0 && n > 0:
			s.x.r.events.unsolicited.Add(1)
			return false
		default:
			s.x.r.events.closedIdle.Add(1)
			return false
		}
	}
}

// send begins a request.
func (s *socket) send(now time.Duration) {
	var ok bool
	if s.res, s.last, ok = s.begin(now); !ok {
		s.quit()
		return
	}
	s.request = s.octets(s.last)
	s.state, s.until, s.rest = busy, now+s.x.plan.ReplyTimeout, s.rest[:0]
	s.write()
}

// write sends as much of the request as the socket takes; the rest goes when it is writable again. An error shows again
// when reading, behind whatever reply came first.
func (s *socket) write() {
	for len(s.request) > 0 {
		n, errno := sendTo(s.fd, s.request)
		switch errno {
		case 0:
			s.request = s.request[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return
		default:
			s.read()
			return
		}
	}
}

// read takes what there is and feeds the parser.
func (s *socket) read() {
	buf := s.loop.buf
	for s.state == busy {
		have := copy(buf, s.rest)
		n, errno := receive(s.fd, buf[have:])
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			return
		case errno != 0:
			s.cause = errno
			s.finish(Cut, false, s.x.r.now())
			return
		case n == 0:
			s.finish(Closed, false, s.x.r.now())
			return
		}
		all := buf[:have+n]
		used, done := s.parser.Feed(all)
		if done {
			s.finish(Done, used < len(all) && !s.parser.Idle(all[used:]), s.x.r.now())
			return
		}
		s.rest = append(s.rest[:0], all[used:]...)
		// A read that does not fill the buffer has emptied the socket: the next octet is a new event. The end of the stream
		// is not, once it has been announced.
		if have+n < len(buf) && !s.hangup {
			return
		}
	}
}

// finish records the request's end and goes on with the connection, or a new one.
func (s *socket) finish(end End, surplus bool, now time.Duration) {
	s.res.received = now
	s.end(&s.res, end)
	sent := len(s.request) == 0
	s.request = nil
	if reason := s.dropFor(s.res.outcome, s.last, surplus, sent); reason != nil {
		reason.Add(1)
		s.shut()
		s.dial()
		return
	}
	s.free(now)
}

// idleRead looks at what came while no request was outstanding.
func (s *socket) idleRead() {
	for s.fd >= 0 {
		buf := s.loop.buf
		n, errno := receive(s.fd, buf)
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			return
		case errno == 0 && n > 0 && s.parser.Idle(buf[:n]):
		case errno == 0 && n > 0:
			s.lost(&s.x.r.events.unsolicited)
			return
		default:
			s.lost(&s.x.r.events.closedIdle)
			return
		}
	}
}

// lost ends an idle connection; a slot it was just given goes to another.
func (s *socket) lost(reason interface{ Add(uint64) uint64 }) {
	reason.Add(1)
	s.shut()
	if s.state == lingering {
		s.gone()
		return
	}
	if s.x.turns.resume(&s.ticket) == send {
		s.x.turns.giveBack(&s.ticket)
	}
	s.unused(nil)
	s.redial()
}

// quit is for a connection that has nothing more to send.
func (s *socket) quit() {
	if linger := s.x.plan.Linger; linger > 0 && s.fd >= 0 {
		s.state, s.until = lingering, s.x.r.now()+linger
		s.idleRead()
		return
	}
	s.gone()
}

// gone is the end of the lane.
func (s *socket) gone() {
	if s.state == over {
		return
	}
	s.shut()
	s.isReady()
	s.state = over
	s.loop.left--
}

// shut closes the connection, if there is one.
func (s *socket) shut() {
	if s.fd >= 0 {
		_ = syscall.Close(s.fd) // which takes it out of the epoll set
		s.fd = -1
	}
	s.hangup = false
}
