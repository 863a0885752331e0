// Package relay is a TCP relay that can stop relaying: it stands between a gateway and istiod, and while it holds, the
// gateway keeps the weights it has.
//
// It answers "how does a gateway become stale?" as it happens in real clusters: the stream is open, nobody gets an error,
// and nothing arrives. It refuses to know what flows through it. The subtle point is the end of one side during a hold: it
// is not passed on before the release, or the gateway would connect anew and istiod would send it everything.
package relay

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Relay listens and connects each connection to its upstream. Safe for concurrent use.
type Relay struct {
	listener net.Listener
	upstream string

	mu     sync.Mutex
	passes chan struct{} // closed while the relay relays; guarded by mu
	held   bool          // guarded by mu
	conns  map[net.Conn]struct{}
	closed bool
	wait   sync.WaitGroup
}

// Listen starts a relay on address, host:port, to upstream, host:port.
func Listen(address, upstream string) (*Relay, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	r := &Relay{listener: listener, upstream: upstream, passes: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	close(r.passes)
	r.wait.Go(r.accept)
	return r, nil
}

// Addr is where the relay listens.
func (r *Relay) Addr() net.Addr { return r.listener.Addr() }

// Hold stops the relaying, both ways and for new connections too. A chunk that was being written still arrives.
func (r *Relay) Hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.held {
		r.held, r.passes = true, make(chan struct{})
	}
}

// Release lets everything that waited go on.
func (r *Relay) Release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held {
		r.held = false
		close(r.passes)
	}
}

// Held says whether the relay holds.
func (r *Relay) Held() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held
}

// Close ends the relay and all its connections, and returns when its goroutines have ended.
func (r *Relay) Close() error {
	err := r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for conn := range r.conns {
		conn.Close()
	}
	if r.held {
		r.held = false
		close(r.passes)
	}
	r.mu.Unlock()
	r.wait.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (r *Relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.wait.Go(func() { r.serve(conn) })
	}
}

func (r *Relay) serve(down net.Conn) {
	if !r.track(down) {
		return
	}
	defer r.drop(down)
	r.gate()
	up, err := net.DialTimeout("tcp", r.upstream, 5*time.Second)
	if err != nil || !r.track(up) {
		return
	}
	defer r.drop(up)
	var pair sync.WaitGroup
	pair.Go(func() { r.copy(up, down) })
	pair.Go(func() { r.copy(down, up) })
	pair.Wait()
}

// copy passes bytes on, and at the end closes both sides: gRPC never half-closes a connection.
func (r *Relay) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.gate()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			to.Close()
			from.Close()
			return
		}
	}
}

// gate returns at once while the relay relays, else at the release.
func (r *Relay) gate() {
	r.mu.Lock()
	passes := r.passes
	r.mu.Unlock()
	<-passes
}

func (r *Relay) track(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		conn.Close()
		return false
	}
	r.conns[conn] = struct{}{}
	return true
}

func (r *Relay) drop(conn net.Conn) {
	conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
}

var (
	_ io.Closer    = (*Relay)(nil)
	_ fmt.Stringer = (*Relay)(nil)
)

// String is "address -> upstream", for logs.
func (r *Relay) String() string { return fmt.Sprintf("%v -> %s", r.Addr(), r.upstream) }
