package load

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"
)

// A failed dial is followed by a pause, doubling from dialPause to dialPauseMax, by each worker for itself.
const (
	dialPause    = 10 * time.Millisecond
	dialPauseMax = time.Second
)

// wire is a connection under TLS. It remembers whether the stream ended below TLS: crypto/tls reports that as a clean end
// too, but without close_notify anyone on the way may have cut the reply (RFC 9112, 9.8).
type wire struct {
	net.Conn
	ended bool
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if err == io.EOF {
		w.ended = true
	}
	return n, err
}

// endedRaw says whether the stream ended without close_notify; a nil wire is plain TCP, where there is none.
func (w *wire) endedRaw() bool { return w != nil && w.ended }

// connect dials until there is a connection; false when nothing more is to be sent. A dial that fails is a request that
// failed: it takes an index and has an outcome.
func (w *worker) connect() bool {
	for {
		if w.x.stopping.Load() || w.x.r.budget.empty() {
			w.isReady()
			return false
		}
		began := w.x.r.now()
		conn, outcome, err := w.dial()
		if err == nil {
			w.conn, w.served = conn, 0
			w.parser.blanks, w.parser.blank = 0, 0
			w.opened++
			w.x.r.events.opened.Add(1)
			w.mu.Lock()
			w.locked = conn
			w.mu.Unlock()
			if w.failed >= deadDials {
				w.x.failing.Add(-1)
			}
			w.failed = 0
			w.isReady()
			return true
		}
		if w.x.stopping.Load() {
			w.isReady()
			return false // cut by the stop: nobody refused anything
		}
		w.isReady()
		if !w.x.r.budget.take(w.scribe.number) {
			return false
		}
		w.x.r.notes.add(outcome, err.Error)
		w.scribe.end(result{epoch: w.scribe.begin(), intended: began, sent: began, received: w.x.r.now(),
			slot: uint16(w.slot), outcome: outcome, label: Unattributed})
		w.scribe.flush()
		if w.failed++; w.failed == deadDials && int(w.x.failing.Add(1)) == w.x.plan.Connections {
			w.x.dead.Store(true)
			w.x.stop()
			return false
		}
		w.x.places.resolve(w.x.dialing)
		pause := time.NewTimer(min(dialPause<<min(w.failed-1, 10), dialPauseMax))
		select {
		case <-pause.C:
		case <-w.x.turns.stop:
		}
		pause.Stop()
	}
}

// isReady tells the run that this worker's first dial is over.
func (w *worker) isReady() {
	if w.ready != nil {
		w.ready()
		w.ready = nil
	}
}

// dial opens one connection, with the handshake under TLS.
func (w *worker) dial() (net.Conn, Outcome, error) {
	to := w.x.places.pick(w.slot, w.dials)
	w.dials++
	ctx, cancel := context.WithTimeout(w.x.dialing, w.x.plan.DialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.dial)
	if err != nil || w.x.plan.TLS == nil {
		return conn, DialError, err
	}
	config := w.x.plan.TLS
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = to.host
	}
	shaken, cancelShake := context.WithTimeout(w.x.dialing, w.x.plan.DialTimeout)
	defer cancelShake()
	w.wire = &wire{Conn: conn}
	secure := tls.Client(w.wire, config)
	if err := secure.HandshakeContext(shaken); err != nil {
		_ = conn.Close()
		return nil, TLSError, err
	}
	return secure, NoOutcome, nil
}
