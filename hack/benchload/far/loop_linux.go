package far

import (
	"bytes"
	"syscall"
	"time"
	"unsafe"
)

// edges are what a connection is registered for: edge-triggered (1<<31), so that waiting costs nothing per connection.
const edges = syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | 1<<31

// run serves until the pipe ends.
func (l *loop) run() error {
	events := make([]syscall.EpollEvent, 512)
	for {
		// A raw call: the runtime has nothing else to run on this core meanwhile.
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(l.set), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), uintptr(l.patience()), 0, 0)
		if errno != 0 && errno != syscall.EINTR {
			return errno
		}
		if errno == syscall.EINTR {
			n = 0
		}
		for i := range int(n) {
			c := l.conns[events[i].Fd]
			switch {
			case c == nil:
			case c.kind == control:
				if !l.command() {
					return nil
				}
			case c.listener:
				l.accept(c)
			default:
				l.event(c, events[i].Events)
			}
		}
		l.pay()
	}
}

// patience is the timeout of the wait in milliseconds: none, unless a reply waits for its time.
func (l *loop) patience() int {
	if len(l.later[0])+len(l.later[1]) > 0 {
		return 1
	}
	return -1
}

func (l *loop) accept(from *conn) {
	for {
		fd, _, err := syscall.Accept4(from.fd, syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		if err != nil {
			return
		}
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
		c := &conn{fd: fd, kind: from.kind}
		switch c.kind {
		case secure:
			if c.records = l.secrets.handshake(fd, l.tls); c.records == nil {
				_ = syscall.Close(fd)
				continue
			}
		case h2:
			c.streams = newStreams()
		}
		l.count.Opened++
		if l.add(c, edges) != nil {
			_ = syscall.Close(fd)
		}
	}
}

func (l *loop) event(c *conn, what uint32) {
	if what&syscall.EPOLLOUT != 0 && len(c.out) > 0 {
		out := c.out
		c.out = nil
		l.write(c, out)
	}
	for !c.closed {
		have := copy(l.buf, c.rest)
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(&l.buf[have])), uintptr(len(l.buf)-have), 0, 0, 0)
		if errno == syscall.EAGAIN {
			return
		}
		if errno != 0 || n == 0 {
			l.drop(c)
			return
		}
		all := l.buf[:have+int(n)]
		var used int
		switch c.kind {
		case secure:
			used = l.open(c, all)
		case h2:
			used = l.frames(c, all)
		default:
			used = l.requests(c, all)
		}
		c.rest = append(c.rest[:0], all[used:]...)
		if len(all) < len(l.buf) && what&syscall.EPOLLRDHUP == 0 {
			return // the socket is empty: the next octet is a new event
		}
	}
}

var emptyLine = []byte("\r\n\r\n")

// requests answers the whole requests among the octets and says how many octets these were.
func (l *loop) requests(c *conn, octets []byte) (used int) {
	for {
		i := bytes.Index(octets[used:], emptyLine)
		if i < 0 {
			return used
		}
		used += i + len(emptyLine)
		l.arrived()
		v := l.draw()
		if d := l.delay(v); d > 0 {
			l.later[v] = append(l.later[v], owed{c, l.now() + d})
			continue
		}
		l.answer(c, v)
	}
}

// arrived counts a request. The clock is read for the first one only, unless all are wanted.
func (l *loop) arrived() {
	l.count.Requests++
	if l.count.First == 0 || l.settings.Arrivals {
		l.count.Last = int64(l.now())
		if l.count.First == 0 {
			l.count.First = l.count.Last
		}
		if l.settings.Arrivals {
			l.count.Arrivals = append(l.count.Arrivals, l.count.Last)
		}
	}
}

// draw chooses the version of a reply, 0 for v1.
func (l *loop) draw() int {
	if l.limit > 0 && l.random.Uint64()>>11 < l.limit {
		return 1
	}
	return 0
}

func (l *loop) delay(version int) time.Duration {
	return [2]time.Duration{l.settings.Delays, l.settings.DelaysV2}[version]
}

// pay answers whatever is due.
func (l *loop) pay() {
	for v := range l.later {
		for len(l.later[v]) > 0 && l.later[v][0].at <= l.now() {
			l.answer(l.later[v][0].c, v)
			l.later[v] = l.later[v][1:]
		}
	}
}

// answer counts before it writes: whoever has the reply is counted.
func (l *loop) answer(c *conn, version int) {
	if c.closed {
		l.count.Unwritten++
		return
	}
	if version == 0 {
		l.count.V1++
	} else {
		l.count.V2++
	}
	if c.kind == secure {
		l.write(c, c.records.seal(l.replies[version]))
		return
	}
	l.write(c, l.replies[version])
}

// write sends octets; what the socket does not take goes when it is writable again.
func (l *loop) write(c *conn, octets []byte) {
	if len(c.out) > 0 {
		c.out = append(c.out, octets...)
		return
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(c.fd), uintptr(unsafe.Pointer(&octets[0])), uintptr(len(octets)), syscall.MSG_NOSIGNAL, 0, 0)
	switch {
	case errno == syscall.EAGAIN:
		n = 0
	case errno != 0:
		l.count.Unwritten++
		l.drop(c)
		return
	}
	if int(n) < len(octets) {
		c.out = append([]byte(nil), octets[n:]...)
	}
}

func (l *loop) drop(c *conn) {
	if !c.closed {
		c.closed = true
		l.conns[c.fd] = nil
		_ = syscall.Close(c.fd)
	}
}
