package vector

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/mesh-split/mesh-split/verify/attribute"
	"github.com/mesh-split/mesh-split/verify/load"
)

// http1Case is one script of a server: what it sends before the request, and after it, piece by piece.
type http1Case struct {
	Name          string   `json:"name"`
	RequestMethod string   `json:"request_method"`
	IdleSegments  []string `json:"idle_segments"`
	Segments      []string `json:"segments"`
	CloseAfter    bool     `json:"close_after"`
	Expect        struct {
		Outcome   string `json:"outcome"`
		Status    int    `json:"status"`
		Version   string `json:"version"`
		BodyBytes uint64 `json:"body_bytes"`
		Reusable  bool   `json:"reusable"`
	} `json:"expect"`
}

// CheckHTTP1 runs a file of HTTP/1.1 cases: each over the parser as given, in one segment and octet by octet, and over
// sockets on every engine, all cases side by side since some wait for a time-out.
func CheckHTTP1(data []byte) (passed int, mismatches []string) {
	var cases []http1Case
	if err := json.Unmarshal(data, &cases); err != nil {
		return 0, []string{fmt.Sprintf("http1: %v", err)}
	}
	found := make([][]string, len(cases))
	var all sync.WaitGroup
	for i := range cases {
		all.Go(func() { found[i] = cases[i].check() })
	}
	all.Wait()
	for _, m := range found {
		mismatches = append(mismatches, m...)
		if len(m) == 0 {
			passed++
		}
	}
	return passed, mismatches
}

func (c *http1Case) check() (mismatches []string) {
	idle, segments := octets(c.IdleSegments), octets(c.Segments)
	want := fmt.Sprintf("%s status=%d version=%q body=%d reusable=%t", c.Expect.Outcome, c.Expect.Status, c.Expect.Version, c.Expect.BodyBytes, c.Expect.Reusable)
	miss := func(how, got, want string) {
		if got != want {
			mismatches = append(mismatches, fmt.Sprintf("%s (%s): got %s, want %s", c.Name, how, got, want))
		}
	}
	miss("parser, as given", c.parse(idle, segments), want)
	miss("parser, one segment", c.parse(joined(idle), joined(segments)), want)
	miss("parser, octet by octet", c.parse(single(idle), single(segments)), want)
	// An engine does not say how long bodies were.
	want = strings.Replace(want, fmt.Sprintf(" body=%d", c.Expect.BodyBytes), "", 1)
	for _, engine := range load.Engines() {
		got, err := c.engine(engine)
		if err != nil {
			got = err.Error()
		}
		miss("engine "+engine.Name(), got, want)
	}
	return mismatches
}

// parse feeds the parser as an engine would.
func (c *http1Case) parse(idle, segments [][]byte) string {
	p := load.NewParser(attribute.Rule{}, load.Marks{Servers: []string{"envoy", "istio-envoy"}, Upstream: "x-envoy-upstream-service-time"})
	for _, s := range idle {
		if !p.Idle(s) {
			return `unsolicited status=0 version="" body=0 reusable=false`
		}
	}
	p.Begin(c.RequestMethod == "HEAD")
	var left []byte
	over, surplus := false, false
	for _, s := range segments {
		if over {
			surplus = surplus || !p.Idle(s)
			continue
		}
		left = append(left, s...)
		var n int
		n, over = p.Feed(left)
		left = left[n:]
		if over {
			surplus = !p.Idle(left)
		}
	}
	end := load.Done
	if !over {
		if end = load.Deadline; c.CloseAfter {
			end = load.Closed
		}
	}
	outcome := p.Outcome(end, false)
	return fmt.Sprintf("%s status=%d version=%q body=%d reusable=%t", outcome, p.Status(), p.Label(), p.BodyOctets(),
		p.Reusable() && !surplus && !c.CloseAfter)
}

// pieceGap keeps the server's segments apart on the wire.
const pieceGap = 10 * time.Millisecond

// engine lets an engine send one request to a server that plays the script.
func (c *http1Case) engine(e load.Engine) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	requests := make(chan int, 1)
	go func() { requests <- c.serve(l) }()
	request, err := load.BuildRequest(load.RequestOptions{Method: c.RequestMethod, Host: "vectors.example"})
	if err != nil {
		return "", err
	}
	p := &load.Plan{Request: request, Head: c.RequestMethod == "HEAD", Addresses: []string{l.Addr().String()}, Connections: 1,
		MaxRequests: 1, ReplyTimeout: time.Second, Lead: 100 * time.Millisecond, Linger: 300 * time.Millisecond}
	r := load.NewRecorder(nil, p)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if len(c.IdleSegments) > 0 && c.Expect.Outcome == "unsolicited" {
		p.Lead, ctx = time.Second, stopAfter(ctx, 500*time.Millisecond) // the request must not appear on that connection
	}
	if err := e.Run(ctx, p, r); err != nil {
		return "", err
	}
	l.Close()
	s := r.Snapshot()
	if s.Connections.Unsolicited > 0 && s.Sent == 0 {
		if n := <-requests; n != 0 {
			return "", fmt.Errorf("%d requests reached the connection with unsolicited octets", n)
		}
		return `unsolicited status=0 version="" reusable=false`, nil
	}
	return describe(&s, r.Labels())
}

// stopAfter gives a context that ends by itself; the vectors' process is short-lived, so is its timer.
func stopAfter(ctx context.Context, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(ctx, d)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// describe says how the one request ended.
func describe(s *load.Snapshot, labels []string) (string, error) {
	outcome, version, status := "", "", 0
	for _, o := range load.Outcomes() {
		if s.Outcomes[o] > 0 {
			outcome = o.String()
		}
	}
	if s.Sent != 1 || outcome == "" {
		return "", fmt.Errorf("sent %d requests, outcomes %v", s.Sent, s.Outcomes)
	}
	last := &s.Unversioned
	for i := range s.Versions {
		if s.Versions[i].Requests > 0 {
			version, last = labels[i], &s.Versions[i]
		}
	}
	status = last.LastStatus
	e := s.Connections
	kept := e.ClosedIdle+e.Unsolicited+e.Surplus+e.SaidClose+e.Failed == 0
	return fmt.Sprintf("%s status=%d version=%q reusable=%t", outcome, status, version, kept), nil
}

// serve plays the script on the first connection and says how many requests came on it.
func (c *http1Case) serve(l net.Listener) int {
	conn, err := l.Accept()
	if err != nil {
		return 0
	}
	defer conn.Close()
	play(conn, octets(c.IdleSegments))
	requests := 0
	buf := make([]byte, 4096)
	var head []byte
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return requests
		}
		head = append(head, buf[:n]...)
		if !strings.Contains(string(head), "\r\n\r\n") {
			continue
		}
		requests, head = requests+1, nil
		play(conn, octets(c.Segments))
		if c.CloseAfter {
			return requests
		}
	}
}

func play(conn net.Conn, segments [][]byte) {
	for i, s := range segments {
		if i > 0 {
			time.Sleep(pieceGap)
		}
		_, _ = conn.Write(s)
	}
}

// octets turns code points 0 to 255 into octets.
func octets(texts []string) [][]byte {
	out := make([][]byte, len(texts))
	for i, t := range texts {
		for _, r := range t {
			out[i] = append(out[i], byte(r))
		}
	}
	return out
}

func joined(segments [][]byte) [][]byte {
	var all []byte
	for _, s := range segments {
		all = append(all, s...)
	}
	if all == nil {
		return nil
	}
	return [][]byte{all}
}

func single(segments [][]byte) (out [][]byte) {
	for _, s := range segments {
		for i := range s {
			out = append(out, s[i:i+1])
		}
	}
	return out
}
