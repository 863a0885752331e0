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
	conn, err := dialTCP(l.x.dialing, &l.x.plan, to.dial)
	if err != nil {
		return nil, nil, DialError, to.explain(err)
	}
	below := newWire(conn, l.x.plan.TLS != nil)
	if !below.secure {
		return below, below, NoOutcome, nil
	}
	secure, err := shake(l.x.dialing, &l.x.plan, l.x.plan.TLS, below, to.host)
	if err != nil {
		return nil, nil, TLSError, err
	}
	return secure, below, NoOutcome, nil
}

// isAlert says whether the far side ended a connection by an alert of TLS.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error" // as crypto/tls reports one; its type is not exported
}

// Negotiate asks an address, host:port, on a connection of its own which protocol it chooses by ALPN; empty: it chooses
// none. The connection begins as those of the plan do.
func Negotiate(ctx context.Context, p *Plan, address string, protocols ...string) (string, error) {
	plan := p.withDefaults()
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	conn, err := dialTCP(ctx, &plan, address)
	if err != nil {
		return "", err
	}
	config := plan.TLS.Clone()
	config.NextProtos = protocols
	secure, err := shake(ctx, &plan, config, conn, host)
	if err != nil {
		return "", err
	}
	defer secure.Close()
	return secure.ConnectionState().NegotiatedProtocol, nil
}

// dialTCP connects, and says who connects if the plan wants that.
func dialTCP(ctx context.Context, p *Plan, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, p.DialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := introduce(conn, p.ProxyProtocol); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// shake does the handshake of TLS on a connection, and closes that if it fails.
func shake(ctx context.Context, p *Plan, config *tls.Config, conn net.Conn, host string) (*tls.Conn, error) {
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = host
	}
	ctx, cancel := context.WithTimeout(ctx, p.DialTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// introduce says who connects, in a version of the proxy protocol; 0: not at all.
func introduce(conn net.Conn, version int) error {
	if version == 0 {
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
	_, err = conn.Write(appendProxyHeader(nil, version, from, to))
	return err
}
