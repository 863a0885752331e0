package load

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"time"
)

// connect calls dial until it opens a connection; false when nothing more is to be sent.
func (l *lane) connect(dial func() (Outcome, error)) bool {
	defer l.isReady()
	for {
		if l.pause > 0 {
			pause := time.NewTimer(l.pause)
			select {
			case <-pause.C:
			case <-l.x.turns.stop:
			}
			pause.Stop()
		}
		if l.over() {
			return false
		}
		outcome, err := dial()
		if err == nil {
			l.connected()
			return true
		}
		if !l.refused(outcome, err) {
			return false
		}
		l.x.places.resolve(l.x.dialing)
	}
}

// dial opens one connection, with the handshake under TLS; the wire is what lies below that, or the same without.
func (l *lane) dial() (net.Conn, *wire, Outcome, error) {
	to := l.dialTo()
	if to.err != nil {
		return nil, nil, DialError, to.err
	}
	ctx, cancel := context.WithTimeout(l.x.dialing, l.x.plan.DialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", to.dial)
	if err == nil {
		err = l.introduce(conn)
	}
	if err != nil {
		return nil, nil, DialError, to.explain(err)
	}
	below := newWire(conn, l.x.plan.TLS != nil)
	if !below.secure {
		return below, below, NoOutcome, nil
	}
	config := l.x.plan.TLS
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = to.host
	}
	shaken, cancelShake := context.WithTimeout(l.x.dialing, l.x.plan.DialTimeout)
	defer cancelShake()
	secure := tls.Client(below, config)
	if err := secure.HandshakeContext(shaken); err != nil {
		_ = conn.Close()
		return nil, nil, TLSError, err
	}
	return secure, below, NoOutcome, nil
}

// isAlert says whether the far side ended a connection by an alert of TLS.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" // as crypto/tls reports one; its type is not exported
}

// introduce says who connects, if the plan wants that.
func (l *lane) introduce(conn net.Conn) error {
	if l.x.plan.ProxyProtocol == 0 {
		return nil
	}
	from, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return err
	}
	to, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return err
	}
	if _, err := conn.Write(appendProxyHeader(nil, l.x.plan.ProxyProtocol, from, to)); err != nil {
		_ = conn.Close()
		return err
	}
	return nil
}
