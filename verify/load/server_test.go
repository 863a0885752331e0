package load

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server is the far side of a test: it plays handle on every connection, and counts requests by what it answered.
type server struct {
	net.Listener
	requests atomic.Int64 // whole heads that arrived
	conns    atomic.Int64
	v1, v2   atomic.Int64 // replies written whole

	mu     sync.Mutex // guards open
	open   map[net.Conn]bool
	closed bool
	done   sync.WaitGroup
}

// peer is one connection of a server.
type peer struct {
	net.Conn
	s      *server
	n      int   // of the connection, from 1
	number int64 // of the request, over all connections, from 1
	buf    []byte
	have   int
}

func serve(t testing.TB, handle func(*peer)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, l, handle)
}

func serveOn(t testing.TB, l net.Listener, handle func(*peer)) *server {
	s := &server{Listener: l, open: map[net.Conn]bool{}}
	s.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			if s.closed {
				s.mu.Unlock()
				_ = c.Close()
				return
			}
			s.open[c] = true
			s.mu.Unlock()
			p := &peer{Conn: c, s: s, n: int(s.conns.Add(1)), buf: make([]byte, 64<<10)}
			s.done.Go(func() {
				handle(p)
				_ = c.Close()
				s.mu.Lock()
				delete(s.open, c)
				s.mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		s.closed = true
		for c := range s.open {
			_ = c.Close()
		}
		s.mu.Unlock()
		s.done.Wait()
	})
	return s
}

func (s *server) address() string { return s.Addr().String() }

// request reads one request's head; false at the end of the connection.
func (p *peer) request() ([]byte, bool) {
	for {
		if i := bytes.Index(p.buf[:p.have], []byte("\r\n\r\n")); i >= 0 {
			head := append([]byte(nil), p.buf[:i+4]...)
			p.have = copy(p.buf, p.buf[i+4:p.have])
			p.number = p.s.requests.Add(1)
			return head, true
		}
		n, err := p.Read(p.buf[p.have:])
		if err != nil {
			return nil, false
		}
		p.have += n
	}
}

// next is request for those who only count.
func (p *peer) next() bool {
	for {
		if i := bytes.Index(p.buf[:p.have], []byte("\r\n\r\n")); i >= 0 {
			p.have = copy(p.buf, p.buf[i+4:p.have])
			p.number = p.s.requests.Add(1)
			return true
		}
		n, err := p.Read(p.buf[p.have:])
		if err != nil {
			return false
		}
		p.have += n
	}
}

func reply(version string, more string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nserver: istio-envoy\r\ncontent-length: 2\r\nx-app-version: %s\r\n%s\r\nok", version, more)
}

var replyV1, replyV2 = reply("v1", ""), reply("v2", "")

// answer writes a reply of v2 if second, else of v1. It counts before it writes: whoever has the reply sees the count.
func (p *peer) answer(second bool) bool {
	count, octets := &p.s.v1, replyV1
	if second {
		count, octets = &p.s.v2, replyV2
	}
	count.Add(1)
	_, err := p.Write(octets)
	return err == nil
}

// oneIn answers every n-th request, counted over all connections, as v2, after its delay.
func oneIn(n int64, first, second time.Duration) func(*peer) {
	return func(p *peer) {
		for p.next() {
			late := p.number%n == 0
			if d := map[bool]time.Duration{false: first, true: second}[late]; d > 0 {
				time.Sleep(d)
			}
			if !p.answer(late) {
				return
			}
		}
	}
}
