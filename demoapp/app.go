package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// app answers requests. All its state is atomic or fixed at the start, so that a request takes no lock: on a small machine
// it shares two cores with a gateway and a load generator at 20 000 requests/s.
type app struct {
	version, destination string

	// The replies, made once. Header values are shared by all requests, which is safe because net/http only reads them.
	versionHeader, destinationHeader []string
	line, page                       reply

	faults   atomic.Pointer[faults]
	draining atomic.Bool
	number   atomic.Uint64 // requests so far, probes left out; also what the fault draw is made from
	inFlight atomic.Int64
	byStatus [600]atomic.Uint64 // index: the status sent
}

// reply is a body with its headers.
type reply struct {
	body                 []byte
	kind, length, policy []string
}

var (
	noStore   = []string{"no-store"} // a cached answer would show yesterday's version
	varyValue = []string{"Accept"}
	closeConn = []string{"close"}
)

func newApp(version, destination string) *app {
	a := &app{version: version, destination: destination, versionHeader: []string{version}}
	text := "testing-app " + version
	if destination != "" {
		a.destinationHeader = []string{destination}
		text += " (" + destination + ")"
	}
	a.line = newReply("text/plain; charset=utf-8", "", []byte(text+"\n"))
	body, policy := renderPage(version, destination)
	a.page = newReply("text/html; charset=utf-8", policy, body)
	a.faults.Store(noFaults())
	return a
}

func newReply(kind, policy string, body []byte) reply {
	r := reply{body: body, kind: []string{kind}, length: []string{strconv.Itoa(len(body))}}
	if policy != "" {
		r.policy = []string{policy}
	}
	return r
}

// ServeHTTP answers probes and, on every other path, says the version.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		probe(w, http.StatusOK, "ok\n")
	case "/readyz":
		if a.draining.Load() || a.faults.Load().Unready {
			probe(w, http.StatusServiceUnavailable, "not ready\n")
			return
		}
		probe(w, http.StatusOK, "ok\n")
	default:
		a.answer(w, r)
	}
}

// answer says the version, after the faults that were asked for. A request that its caller gave up while it was being
// delayed is counted with status 499, as gateways do.
func (a *app) answer(w http.ResponseWriter, r *http.Request) {
	number := a.number.Add(1)
	a.inFlight.Add(1)
	defer a.inFlight.Add(-1)

	fault := a.faults.Load()
	if fault.Latency > 0 {
		timer := time.NewTimer(time.Duration(fault.Latency))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			a.byStatus[statusGaveUp].Add(1)
			panic(http.ErrAbortHandler) // net/http's word for "no reply"; a bare return would send an empty 200
		}
	}

	// Assigning to the map by canonical keys skips what Header.Set would do for each of them again.
	header := w.Header()
	header["X-App-Version"] = a.versionHeader
	if a.destinationHeader != nil {
		header["X-App-Destination"] = a.destinationHeader
	}
	header["Cache-Control"] = noStore
	if a.draining.Load() && r.ProtoMajor == 1 {
		header["Connection"] = closeConn
	}
	status, chosen := http.StatusOK, &a.line
	if fault.hits(number) {
		status = fault.ErrorStatus // the version is still said: who failed is what the verifier must learn
	} else if wantsPage(r.Header) {
		chosen = &a.page
	}
	header["Content-Type"] = chosen.kind
	header["Content-Length"] = chosen.length
	header["Vary"] = varyValue
	if chosen.policy != nil {
		header["Content-Security-Policy"] = chosen.policy
	}
	a.byStatus[status].Add(1)
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(chosen.body) // an error means that the caller is gone, and nobody is left to tell
	}
}

// statusGaveUp is nginx's and Envoy's number for a caller that went away; it is counted, never sent.
const statusGaveUp = 499

// wantsPage is true for browsers: they name text/html, while curl and load generators accept anything or say nothing.
func wantsPage(h http.Header) bool {
	accept := h["Accept"]
	return len(accept) > 0 && strings.Contains(accept[0], "text/html")
}

// drain makes the application unready and lets each reply close its connection.
func (a *app) drain() { a.draining.Store(true) }

func probe(w http.ResponseWriter, status int, text string) {
	w.Header()["Cache-Control"] = noStore
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	w.Write([]byte(text)) // as above
}
