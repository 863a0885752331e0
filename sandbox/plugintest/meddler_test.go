//go:build unix

package plugintest

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var discard = log.New(io.Discard, "", 0)

// meddler stands between the plugin and the real API server and does one thing to the first PATCH of a VirtualService:
// what a colleague, a network or a slow server would do.
type meddler struct {
	forward http.Handler
	cut     bool                      // after the first patch, answer nothing but port-forwards
	before  func()                    // on the first patch, before it is passed on
	after   func(http.ResponseWriter) // on the first patch, in place of its answer
	patches atomic.Int32
}

func (m *meddler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.cut && m.patches.Load() > 0 && !strings.Contains(r.URL.Path, "/pods") {
		hangUp(w)
		return
	}
	if r.Method != http.MethodPatch || !strings.Contains(r.URL.Path, "/virtualservices/") || m.patches.Add(1) != 1 {
		m.forward.ServeHTTP(w, r)
		return
	}
	if m.before != nil {
		m.before()
	}
	if m.after == nil {
		m.forward.ServeHTTP(w, r)
		return
	}
	m.forward.ServeHTTP(httptest.NewRecorder(), r)
	m.after(w)
}

func hangUp(w http.ResponseWriter) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

// authority is the certificate that clients of an httptest server trust.
func authority(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// meddler ACT [ARGS…]: from now on KUBECONFIG leads through a meddler.
//
//	meddler before PROGRAM ARGS…  run a program before the first patch is passed on
//	meddler lose                  pass the first patch on and drop the connection instead of the answer
//	meddler delay DURATION        hold the first patch back
//	meddler cut                   after the first patch, hang up on everything but looks into gateways
func meddlerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: meddler before PROGRAM ARGS... | lose | delay DURATION | cut")
	}
	direct := ts.Getenv("KUBECONFIG")
	m := &meddler{}
	switch args[0] {
	case "before":
		meddle := command(context.Background(), ts, args[1:]...) // straight to the API server
		m.before = func() { _ = meddle.Run() }
	case "lose":
		m.after = hangUp
	case "cut":
		m.cut = true
	case "delay":
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		m.before = func() { time.Sleep(d) }
	default:
		ts.Fatalf("meddler %s is not known", args[0])
	}
	indirect, server, err := between(direct, ts.MkAbs("."), func(forward http.Handler) http.Handler {
		m.forward = forward
		return m
	})
	ts.Check(err)
	ts.Defer(server.Close)
	ts.Setenv("KUBECONFIG", indirect)
	ts.Setenv("DIRECT", direct)
}
