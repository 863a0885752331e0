package load

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers every A question with an address, and none other; what it answers can be changed. None makes it fail.
func nameServer(t *testing.T) (answer *atomic.Value, asked *atomic.Int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answer, asked = new(atomic.Value), new(atomic.Int64)
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response = true
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				asked.Add(1)
				addresses := answer.Load().([][4]byte)
				if len(addresses) == 0 {
					m.RCode = dnsmessage.RCodeServerFailure
				}
				for _, a := range addresses {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
						Body: &dnsmessage.AResource{A: a}})
				}
			}
			m.Additionals = nil
			if packed, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = before; conn.Close() })
	return answer, asked
}

// A name that moves while the load runs is followed: when a dial fails it is looked up again, and not for every request.
func TestNameMoves(t *testing.T) {
	for _, e := range append(Engines(), HTTP2()) { // one after the other: the resolver is everybody's
		t.Run(e.Name(), func(t *testing.T) {
			answer, asked := nameServer(t)
			answer.Store([][4]byte{{127, 0, 0, 1}})
			var first, second atomic.Int64
			old := versioned(t, "127.0.0.1:0", &first)
			_, port, _ := net.SplitHostPort(old.Addr)
			versioned(t, "127.0.0.2:"+port, &second)
			go func() {
				time.Sleep(resolveEvery + 200*time.Millisecond) // it was looked up at the beginning
				answer.Store([][4]byte{{127, 0, 0, 2}})
				_ = old.Close()
			}()
			_, snap, err := runPlan(t, e, &Plan{Addresses: []string{"gw.mesh-split.test:" + port}, Connections: 2, Rate: 100, MaxRequests: 250})
			if err != nil {
				t.Fatal(err)
			}
			o := snap.Outcomes
			if o[DialError] == 0 || o[Answered] < 200 || first.Load() == 0 || second.Load() == 0 || int64(o[Answered]) > first.Load()+second.Load() {
				t.Errorf("outcomes %v, the servers saw %d and %d; want nearly all answered, by both, and a dial that failed", o, first.Load(), second.Load())
			}
			if n := asked.Load(); n < 2 || n > 6 {
				t.Errorf("the name was asked for %d times, want 2 to 6", n)
			}
		})
	}
}

// versioned is a server that speaks HTTP/1.1 and HTTP/2 at an address, counting requests.
func versioned(t *testing.T, at string, count *atomic.Int64) *http.Server {
	t.Helper()
	l, err := net.Listen("tcp", at)
	if err != nil {
		t.Skipf("NOT RUN: %v (a second loopback address is Linux's)", err)
	}
	s := &http.Server{Addr: l.Addr().String(), Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		w.Header().Set("x-app-version", "v1")
	})}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// A name server that no longer answers takes no address away: what was known goes on being used, and is asked for again.
func TestNameServerFails(t *testing.T) {
	for _, e := range Engines() { // one after the other: the resolver is everybody's
		t.Run(e.Name(), func(t *testing.T) {
			answer, asked := nameServer(t)
			answer.Store([][4]byte{{127, 0, 0, 1}, {127, 0, 0, 9}}) // nobody listens at the second, so that the name is looked up again
			s := serve(t, oneIn(2, 0, 0))
			_, port, _ := net.SplitHostPort(s.address())
			fails := time.AfterFunc(200*time.Millisecond, func() { answer.Store([][4]byte{}) })
			defer fails.Stop()
			_, snap, err := runPlan(t, e, &Plan{Addresses: []string{"gw.mesh-split.test:" + port}, Connections: 4,
				ConnRequests: 5, Rate: 100, MaxRequests: 250})
			if err != nil {
				t.Fatal(err)
			}
			if o := snap.Outcomes; o[Answered] < 150 || o[DialError] == 0 || asked.Load() < 2 {
				t.Errorf("outcomes %v, asked %d times; want most answered, some dials failed, and the name asked for again", o, asked.Load())
			}
		})
	}
}
