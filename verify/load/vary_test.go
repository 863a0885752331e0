package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// varied is a request with a slot of each kind, in the path, in a field and in the content.
func varied(t *testing.T) ([]byte, []Slot) {
	t.Helper()
	uuid, number, hex := strings.Repeat("U", 36), strings.Repeat("N", 10), strings.Repeat("H", 16)
	b, err := BuildRequest(RequestOptions{Host: "test.example", Path: "/?id=" + hex, Header: []string{"X-User: u-" + uuid}, Body: []byte("n=" + number + ";")})
	if err != nil {
		t.Fatal(err)
	}
	return b, []Slot{{bytes.Index(b, []byte(uuid)), SlotUUID}, {bytes.Index(b, []byte(number)), SlotNumber}, {bytes.Index(b, []byte(hex)), SlotHex}}
}

// identities are what a server saw of varied's slots, each once.
type identities struct {
	mu   sync.Mutex
	seen map[string]bool
	t    *testing.T
}

var wholeIdentity = regexp.MustCompile(`^[0-9a-f]{16} u-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12} n=[0-9]{10};$`)

func (i *identities) see(id, user, content string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if all := id + " " + user + " " + content; !wholeIdentity.MatchString(all) {
		i.t.Errorf("a request says %q", all)
	}
	for _, one := range []string{id, user, content} {
		if i.seen[one] {
			i.t.Errorf("%q comes twice", one)
		}
		i.seen[one] = true
	}
}

func (i *identities) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	i.see(r.URL.Query().Get("id"), r.Header.Get("X-User"), string(body))
	w.Header().Set("x-app-version", "v1")
}

// Every request has its own identity, on every engine, and the last of a connection too.
func TestVary(t *testing.T) {
	for _, e := range append(Engines(), HTTP2()) {
		t.Run(e.Name(), func(t *testing.T) {
			ids := &identities{seen: map[string]bool{}, t: t}
			s := serveHTTP(t, ids)
			b, slots := varied(t)
			_, snap, err := runPlan(t, e, &Plan{Request: b, Slots: slots, Addresses: []string{s}, Connections: 4, Streams: 3, MaxRequests: 3000, ConnRequests: 100})
			if err != nil {
				t.Fatal(err)
			}
			only(t, &snap, map[Outcome]uint64{Answered: 3000})
			ids.mu.Lock() // the detector of races sees no order in what raw sockets carry
			defer ids.mu.Unlock()
			if len(ids.seen) != 9000 || !ids.seen["n=0000000001;"] || !ids.seen["n=0000003000;"] {
				t.Errorf("%d identities, want 9000 with numbers 1 to 3000", len(ids.seen))
			}
		})
	}
}

// A credential that runs out is renewed, at most once a second; one that cannot be is told.
func TestRenew(t *testing.T) {
	for _, e := range append(Engines(), HTTP2()) {
		t.Run(e.Name(), func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			s := serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("x-app-version", "v1")
				if r.Header.Get("Authorization") != "new" {
					w.WriteHeader(http.StatusUnauthorized)
				}
			}))
			with := func(credential string) []byte {
				b, err := BuildRequest(RequestOptions{Host: "test.example", Header: []string{"Authorization: " + credential}})
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			p := &Plan{Request: with("old"), Addresses: []string{s}, Connections: 2, Rate: 400, MaxRequests: 800}
			p.Renew = func(context.Context) ([]byte, []Slot, error) {
				if asked.Add(1) == 1 {
					return nil, nil, errors.New("no credential today")
				}
				return with("new"), nil, nil
			}
			_, snap, err := runPlan(t, e, p)
			if err != nil {
				t.Fatal(err)
			}
			refused := snap.Versions[0].Status[4]
			if asked.Load() != 2 || snap.Renewals != 1 || snap.RenewError != "no credential today" || refused < 50 || refused > 700 {
				t.Errorf("asked %d times, renewed %d, error %q, %d replies 401; want 2, 1, the error, and those of the first second",
					asked.Load(), snap.Renewals, snap.RenewError, refused)
			}
		})
	}
}

// serveHTTP serves HTTP/1.1 and, with prior knowledge, HTTP/2.
func serveHTTP(t *testing.T, handler http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

// Each connection begins with who it is, in both versions, once.
func TestProxyProtocol(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		for version := 1; version <= 2; version++ {
			s := serve(t, func(p *peer) {
				from, _ := netip.ParseAddrPort(p.RemoteAddr().String())
				to, _ := netip.ParseAddrPort(p.LocalAddr().String())
				want := appendProxyHeader(nil, version, from, to)
				got := make([]byte, len(want))
				n, err := io.ReadFull(p, got)
				if n == 0 && err == io.EOF {
					return // the stop has cut a dial
				}
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("the connection begins with %q, %v; want %q", got, err, want)
				}
				oneIn(3, 0, 0)(p)
			})
			_, snap, err := runPlan(t, e, &Plan{Addresses: []string{s.address()}, Connections: 3, MaxRequests: 60, ConnRequests: 10, ProxyProtocol: version})
			if err != nil {
				t.Fatal(err)
			}
			only(t, &snap, map[Outcome]uint64{Answered: 60})
		}
	})
}

// The octets of the specification.
func TestProxyHeader(t *testing.T) {
	four, six := netip.MustParseAddrPort("10.0.0.1:5000"), netip.MustParseAddrPort("[fd00::1]:80")
	for _, row := range []struct {
		version  int
		from, to netip.AddrPort
		want     string
	}{
		{1, four, four, "PROXY TCP4 10.0.0.1 10.0.0.1 5000 5000\r\n"},
		{1, six, six, "PROXY TCP6 fd00::1 fd00::1 80 80\r\n"},
		{2, four, four, "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\x0a\x00\x00\x01\x0a\x00\x00\x01\x13\x88\x13\x88"},
	} {
		if got := string(appendProxyHeader(nil, row.version, row.from, row.to)); got != row.want {
			t.Errorf("version %d from %v: %q, want %q", row.version, row.from, got, row.want)
		}
	}
	b := appendProxyHeader(nil, 2, six, six)
	if len(b) != 16+36 || b[13] != 0x21 || binary.BigEndian.Uint16(b[14:]) != 36 {
		t.Errorf("version 2 over IPv6: %q", b)
	}
}

// The look finds what lies in the socket, and waits for nothing.
func TestQuiet(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far := make(chan net.Conn, 1)
	go func() { c, _ := l.Accept(); far <- c }()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	server := <-far
	p := &Plan{Request: get(t), Addresses: []string{l.Addr().String()}, Connections: 1}
	r := NewRecorder(nil, p)
	x, err := newRun(t.Context(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorker(x, 0, func() {})
	w.wire = newWire(near, false)
	w.conn = w.wire
	if began := time.Now(); !w.quiet() || time.Since(began) > time.Second {
		t.Error("an empty socket is not quiet, or the look waited")
	}
	for _, octets := range []string{"\r\n", "surplus"} {
		_, _ = server.Write([]byte(octets))
		time.Sleep(50 * time.Millisecond)
		if got, want := w.quiet(), octets == "\r\n"; got != want {
			t.Errorf("quiet with %q in the socket: %v, want %v", octets, got, want)
		}
	}
	server.Close()
	time.Sleep(50 * time.Millisecond)
	if w.quiet() || r.Snapshot().Connections.ClosedIdle != 1 {
		t.Error("the end of the connection is not seen")
	}
}

// Octets behind a reply are seen before the next request leaves, and are never taken for its reply. (At this rate a read is
// pending anyway; the look itself is TestQuiet.)
func TestPeek(t *testing.T) {
	everyEngine(t, func(t *testing.T, e Engine) {
		s := serve(t, func(p *peer) {
			for p.next() {
				if !p.answer(false) {
					return
				}
				_, _ = p.Write([]byte("surplus"))
			}
		})
		p := &Plan{Addresses: []string{s.address()}, Connections: 1, MaxRequests: 10, Peek: true, Rate: 15}
		_, snap, err := runPlan(t, e, p)
		if err != nil {
			t.Fatal(err)
		}
		only(t, &snap, map[Outcome]uint64{Answered: 10})
		if n := snap.Connections.Unsolicited + snap.Connections.Surplus; n < 9 {
			t.Errorf("%d connections dropped for octets nobody asked for, want 9 or 10", n)
		}
	})
}
