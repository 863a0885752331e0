package load

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/mesh-split/mesh-split/verify/fault"
)

const epollWorks = true

type epoll struct{}

var _ Engine = epoll{}

// Epoll is the engine for Linux and plain TCP: a loop per core over raw sockets, which writes the next request as soon as
// a reply is parsed. It makes some two system calls a request.
func Epoll() Engine { return epoll{} }

func (epoll) Name() string { return "epoll" }

func (epoll) Run(ctx context.Context, p *Plan, r *Recorder) error {
	if p.TLS != nil {
		return fault.Usagef("use --engine auto or portable", "engine epoll does not speak TLS")
	}
	x, err := newRun(ctx, p, r)
	if err != nil {
		return err
	}
	defer x.stopDial()
	var opened, working, resolving, pacing sync.WaitGroup
	opened.Add(x.plan.Connections)
	loops := make([]*loop, len(r.shards))
	for i := range loops {
		if loops[i], err = newLoop(x, i, len(loops), opened.Done, &resolving); err != nil {
			for _, l := range loops[:i] {
				l.close()
			}
			return fault.New(fault.Failed, "raise ulimit -n, or use --engine portable", "opening an epoll set: %w", err)
		}
	}
	defer spareProcessor(len(loops))()
	for _, l := range loops {
		working.Go(l.run)
	}
	pacing.Go(x.turns.pace)
	x.supervise(ctx, closing(&opened), closing(&working), func() {
		for _, l := range loops {
			l.ring()
		}
	})
	pacing.Wait()
	resolving.Wait()
	for _, l := range loops {
		l.close()
	}
	return x.err()
}

// loopBuffer is what a loop reads into. It is shared by its connections, so it stays in the cache; the rare unfinished line
// is kept by the connection it belongs to.
const loopBuffer = 64 << 10

// edges are the events a socket is registered for, once and for all: edge-triggered, so that they cost nothing until
// something changes.
const edges = syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | 1<<31 // EPOLLET, a negative number in syscall

// loop drives its share of the connections on one thread.
type loop struct {
	x         *run
	set       int // epoll
	bell      int // eventfd: somebody else wants this loop's attention
	scribe    *scribe
	conns     []*socket
	buf       []byte
	left      int             // connections that are not over
	pausing   int             // of these, waiting to dial again
	sweepGap  time.Duration   // between looks at the deadlines
	swept     time.Duration   // the last look
	since     time.Duration   // that it counts its time: from the first request on
	waited    time.Duration   // of that, for something to do
	resolving *sync.WaitGroup // of look-ups, which block

	mu     sync.Mutex // guards called and rung
	called []*socket  // whose turn has come
	rung   bool       // the bell has been rung and not been heard
}

func newLoop(x *run, number, of int, ready func(), resolving *sync.WaitGroup) (*loop, error) {
	set, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	bell, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		_ = syscall.Close(set)
		return nil, errno
	}
	l := &loop{x: x, set: set, bell: int(bell), scribe: x.r.scribe(number), buf: make([]byte, loopBuffer), resolving: resolving,
		sweepGap: min(sweepEvery, max(x.plan.ReplyTimeout/10, time.Millisecond))}
	if err := syscall.EpollCtl(set, syscall.EPOLL_CTL_ADD, l.bell, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: -1}); err != nil {
		l.close()
		return nil, err
	}
	for slot := number; slot < x.plan.Connections; slot += of {
		s := &socket{lane: newLane(x, slot, l.scribe, ready), loop: l, fd: -1, index: int32(len(l.conns))}
		s.ticket.kick = func() { l.call(s) }
		l.conns = append(l.conns, s)
	}
	l.left = len(l.conns)
	return l, nil
}

func (l *loop) close() {
	_ = syscall.Close(l.set)
	_ = syscall.Close(l.bell)
}

// call says that a connection's turn has come. It is called by anybody, with the turnstile locked.
func (l *loop) call(s *socket) {
	l.mu.Lock()
	l.called = append(l.called, s)
	l.mu.Unlock()
	l.ring()
}

// ring wakes the loop.
func (l *loop) ring() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rung {
		return
	}
	l.rung = true
	one := uint64(1)
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, uintptr(l.bell), uintptr(unsafe.Pointer(&one)), 8)
}

// heard serves those who were called.
func (l *loop) heard() {
	var count uint64
	_, _, _ = syscall.RawSyscall(syscall.SYS_READ, uintptr(l.bell), uintptr(unsafe.Pointer(&count)), 8)
	l.mu.Lock()
	called := l.called
	l.called, l.rung = nil, false
	l.mu.Unlock()
	for _, s := range called {
		s.turn()
	}
	l.mu.Lock()
	if l.called == nil {
		l.called = called[:0] // keep the room
	}
	l.mu.Unlock()
}

// run is the loop. Its thread is locked: it sleeps in the kernel most of the time it does not compute, and the scheduler
// shall not move it to another core for that.
func (l *loop) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer l.scribe.flush()
	for _, s := range l.conns {
		s.dial()
	}
	events := make([]syscall.EpollEvent, 256)
	now := l.x.r.now()
	for l.left > 0 {
		l.scribe.flush()
		n, err := syscall.EpollWait(l.set, events, l.patience())
		if err != nil && err != syscall.EINTR {
			panic("load: epoll_wait: " + err.Error()) // only for a set that is not one
		}
		now = l.woke(now)
		for i := range max(n, 0) {
			e := &events[i]
			if e.Fd < 0 {
				l.heard()
			} else if s := l.conns[e.Fd]; s.generation == e.Pad { // else of a connection that is gone
				s.event(e.Events)
			}
		}
		if now = l.x.r.now(); now-l.swept >= l.sweepGap || l.pausing > 0 || l.x.stopping.Load() {
			l.sweep(now)
		}
	}
	l.tally(now)
}

// woke counts the time since before as waited, from the first request to the stop, and says what time it is.
func (l *loop) woke(before time.Duration) time.Duration {
	now := l.x.r.now()
	switch {
	case l.x.stopping.Load():
		l.tally(before)
	case l.since > 0:
		l.waited += now - before
	case l.x.r.began.Load() > 0:
		l.since = now
	}
	return now
}

// tally notes how busy the loop was until then.
func (l *loop) tally(until time.Duration) {
	if l.since > 0 {
		l.x.r.own.looped(until-l.since, l.waited)
		l.since = 0
	}
}

// patience is how long to wait for events, in milliseconds.
func (l *loop) patience() int {
	wait := l.sweepGap
	if l.pausing > 0 {
		now := l.x.r.now()
		for _, s := range l.conns {
			if s.state == pausing {
				wait = min(wait, max(s.until-now, 0))
			}
		}
	}
	return int((wait + time.Millisecond - 1) / time.Millisecond)
}

// sweep looks at everything that has a deadline.
func (l *loop) sweep(now time.Duration) {
	l.swept = now
	aborting, stopping := l.x.aborting.Load(), l.x.stopping.Load()
	for _, s := range l.conns {
		switch {
		case s.state == busy && aborting:
			s.finish(GivenUp, false, now)
		case s.state == busy && now >= s.until:
			s.finish(Deadline, false, now)
		case s.state == dialling && stopping, s.state == pausing && stopping:
			s.gone()
		case s.state == dialling && now >= s.until:
			s.dialFailed(fmt.Errorf("dial tcp %s: no connection within %v", s.place.dial, l.x.plan.DialTimeout))
		case s.state == pausing && now >= s.until:
			s.dial()
		case s.state == lingering && (aborting || now >= s.until):
			s.gone()
		}
	}
}
