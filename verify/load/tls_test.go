package load

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	signed := a.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.cert, a.key = signed.Leaf, signed.PrivateKey.(*ecdsa.PrivateKey)
	a.pool.AddCert(a.cert)
	return a
}

// issue signs a certificate; the first one signs itself.
func (a *authority) issue(t testing.TB, c *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func serveTLS(t *testing.T, config *tls.Config, handle func(*peer)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, tls.NewListener(l, config), handle)
}

func TestTLS(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	good := a.issue(t, &x509.Certificate{DNSNames: []string{"demo.example"}})
	client := a.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "client"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	expired := a.issue(t, &x509.Certificate{DNSNames: []string{"demo.example"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	answer := oneIn(2, 0, 0)
	for _, row := range []struct {
		name   string
		server *tls.Config
		client *tls.Config
		handle func(*peer)
		want   map[Outcome]uint64
		lead   time.Duration
		err    string // of a run that could not connect
	}{
		{name: "verified", server: &tls.Config{Certificates: []tls.Certificate{good}}, client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"},
			want: map[Outcome]uint64{Answered: 20}},
		{name: "TLS 1.2", server: &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"},
			want: map[Outcome]uint64{Answered: 20}},
		{name: "with a client certificate", server: &tls.Config{Certificates: []tls.Certificate{good}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert},
			client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example", Certificates: []tls.Certificate{client}}, want: map[Outcome]uint64{Answered: 20}},
		// Under TLS 1.3 the refusal comes behind the handshake; here before the first request, for that waits.
		{name: "without the client certificate, TLS 1.2", server: &tls.Config{Certificates: []tls.Certificate{good}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert, MaxVersion: tls.VersionTLS12},
			client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"}, err: "tls: "},
		{name: "without the client certificate, TLS 1.3", server: &tls.Config{Certificates: []tls.Certificate{good}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert},
			client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"}, lead: 10 * time.Second, err: "tls: certificate required"},
		{name: "with a client certificate of an unknown authority", server: &tls.Config{Certificates: []tls.Certificate{good}, ClientCAs: other.pool, ClientAuth: tls.RequireAndVerifyClientCert},
			client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example", Certificates: []tls.Certificate{client}}, lead: 10 * time.Second, err: "remote error: tls: "},
		{name: "unknown authority", server: &tls.Config{Certificates: []tls.Certificate{good}}, client: &tls.Config{RootCAs: other.pool, ServerName: "demo.example"},
			err: "certificate signed by unknown authority"},
		{name: "another name", server: &tls.Config{Certificates: []tls.Certificate{good}}, client: &tls.Config{RootCAs: a.pool, ServerName: "other.example"},
			err: "not other.example"},
		{name: "the name is the address without one", server: &tls.Config{Certificates: []tls.Certificate{good}}, client: &tls.Config{RootCAs: a.pool},
			err: "127.0.0.1"},
		{name: "expired", server: &tls.Config{Certificates: []tls.Certificate{expired}}, client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"},
			err: "expired"},
		{name: "ended without notice, inside a body that ends with the connection", server: &tls.Config{Certificates: []tls.Certificate{good}},
			client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"},
			handle: func(p *peer) {
				p.next()
				_, _ = p.Write([]byte("HTTP/1.1 200 OK\r\nx-app-version: v1\r\n\r\nhalf"))
				_ = p.Conn.(*tls.Conn).NetConn().Close()
			},
			want: map[Outcome]uint64{Truncated: 20}},
		{name: "ended with notice, the same", server: &tls.Config{Certificates: []tls.Certificate{good}},
			client: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"},
			handle: func(p *peer) {
				p.next()
				_, _ = p.Write([]byte("HTTP/1.1 200 OK\r\nx-app-version: v1\r\n\r\nwhole"))
			},
			want: map[Outcome]uint64{Answered: 20}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			handle := row.handle
			if handle == nil {
				handle = answer
			}
			s := serveTLS(t, row.server, handle)
			_, snap, err := runPlan(t, Portable(), &Plan{Addresses: []string{s.address()}, TLS: row.client, Connections: 2, MaxRequests: 20, Lead: row.lead})
			if row.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				only(t, &snap, row.want)
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.err) || snap.Outcomes[TLSError] != snap.Sent || s.requests.Load() != 0 {
				t.Errorf("error %v with %d of %d handshakes failed; want one with %q, and no request", err, snap.Outcomes[TLSError], snap.Sent, row.err)
			}
		})
	}
}

// At a constant rate a TLS connection waits with a read pending, and goes on after that read is ended by its turn.
func TestTLSPaced(t *testing.T) {
	a := newAuthority(t)
	s := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue(t, &x509.Certificate{DNSNames: []string{"demo.example"}})}}, oneIn(2, 0, 0))
	_, snap, err := runPlan(t, Portable(), &Plan{Addresses: []string{s.address()}, TLS: &tls.Config{RootCAs: a.pool, ServerName: "demo.example"},
		Connections: 4, Rate: 500, MaxRequests: 100})
	if err != nil {
		t.Fatal(err)
	}
	only(t, &snap, map[Outcome]uint64{Answered: 100})
	if snap.Connections.Opened != 4 {
		t.Errorf("%d connections opened, want 4", snap.Connections.Opened)
	}
}

// An engine that cannot send a plan says so; it never sends it some other way.
func TestEpollWithTLS(t *testing.T) {
	p := &Plan{Request: get(t), Addresses: []string{"127.0.0.1:1"}, TLS: new(tls.Config)}
	if err := Epoll().Run(t.Context(), p, NewRecorder(nil, p)); fault.ExitCode(err) != fault.Usage {
		t.Errorf("error %v, want a usage error", err)
	}
	if e := Auto(p); e.Name() != "portable" {
		t.Errorf("TLS is sent by %s, want portable", e.Name())
	}
}
