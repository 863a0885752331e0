package load

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"time"
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

// connect dials until there is a connection; false when nothing more is to be sent.
func (w *worker) connect() bool {
	defer w.isReady()
	for !w.over() {
		began := w.x.r.now()
		conn, outcome, err := w.dial()
		if err == nil {
			w.conn = conn
			w.mu.Lock()
			w.locked = conn
			w.mu.Unlock()
			w.connected()
			return true
		}
		wait, again := w.refused(began, outcome, err)
		if !again {
			return false
		}
		w.x.places.resolve(w.x.dialing)
		pause := time.NewTimer(wait)
		select {
		case <-pause.C:
		case <-w.x.turns.stop:
		}
		pause.Stop()
	}
	return false
}

// dial opens one connection, with the handshake under TLS.
func (w *worker) dial() (net.Conn, Outcome, error) {
	to := w.dialTo()
	if to.err != nil {
		return nil, DialError, to.err
	}
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
