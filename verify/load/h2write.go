package load

import (
	"net"
	"sync/atomic"
)

// h2writer writes long content beside the reading. Whoever writes between reads stands still while the far side takes
// nothing, and would see a reply that came meanwhile too late.
type h2writer struct {
	octets chan []byte   // whole frames, one batch at a time
	done   chan struct{} // closed when the writer has ended
	busy   atomic.Bool   // with the last batch
	failed atomic.Bool   // and so will everything else
	batch  []byte        // the last one; its memory is used again
}

func newH2Writer(c *h2conn) *h2writer {
	w := &h2writer{octets: make(chan []byte, 1), done: make(chan struct{})}
	go w.work(c, c.conn)
	return w
}

func (w *h2writer) work(c *h2conn, conn net.Conn) {
	defer close(w.done)
	for batch := range w.octets {
		if _, err := conn.Write(batch); err != nil {
			w.failed.Store(true)
		}
		w.busy.Store(false)
		c.summon() // for more
	}
}

// end awaits the writer, once closing the connection has ended its write.
func (w *h2writer) end() {
	close(w.octets)
	<-w.done
}

// flush writes what is to be written, or has it written if the writer is free; what it is not free for stays. An error
// shows again when reading, behind whatever replies came first.
func (c *h2conn) flush() {
	w := c.beside
	if w != nil && w.failed.Load() {
		c.writeFailed()
	}
	if len(c.out) == 0 || w != nil && w.busy.Load() {
		return
	}
	if half := c.x.plan.ReplyTimeout / 2; c.writes < c.now+half {
		c.writes = c.now + 2*half
		_ = c.conn.SetWriteDeadline(c.x.r.base.Add(c.writes))
	}
	switch {
	case c.unwritable:
	case w != nil:
		w.busy.Store(true)
		c.out, w.batch = w.batch[:0], c.out
		w.octets <- w.batch
		return
	default:
		if _, err := c.conn.Write(c.out); err != nil {
			c.writeFailed()
		}
	}
	c.out = c.out[:0]
}

func (c *h2conn) writeFailed() {
	c.unwritable = true
	c.leave(&c.x.r.events.failed)
}
