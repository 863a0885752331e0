//go:build unix

package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/sandbox/internal/state"
	"github.com/mesh-split/mesh-split/sandbox/internal/wire"
)

// Freeze stops gateway i in its tracks: its connections stay open and hang, as on a node that stalls.
func (s *Sandbox) Freeze(ctx context.Context, i int) error { return s.gateway(ctx, wire.Freeze, i) }

// Thaw undoes Freeze.
func (s *Sandbox) Thaw(ctx context.Context, i int) error { return s.gateway(ctx, wire.Thaw, i) }

// Kill ends gateway i as a crash would; its pod is not ready from then on.
func (s *Sandbox) Kill(ctx context.Context, i int) error { return s.gateway(ctx, wire.Kill, i) }

// Restart brings gateway i back after Kill and returns when it listens and its pod is ready.
func (s *Sandbox) Restart(ctx context.Context, i int) error { return s.gateway(ctx, wire.Restart, i) }

// Hold cuts gateway i off from istiod without an error on either side: it serves on with the weights it has.
func (s *Sandbox) Hold(ctx context.Context, i int) error { return s.gateway(ctx, wire.Hold, i) }

// Release undoes Hold: everything that waited arrives.
func (s *Sandbox) Release(ctx context.Context, i int) error { return s.gateway(ctx, wire.Release, i) }

// StopIstiod ends istiod. Gateways go on with what they have; no Istio object can be changed, since nobody validates it.
func (s *Sandbox) StopIstiod(ctx context.Context) error {
	return s.fault(ctx, wire.Stop, "istiod", nil)
}

// StartIstiod starts istiod again and returns when it is ready.
func (s *Sandbox) StartIstiod(ctx context.Context) error {
	return s.fault(ctx, wire.Start, "istiod", nil)
}

// StopAPIServer ends the API server; etcd keeps its data.
func (s *Sandbox) StopAPIServer(ctx context.Context) error {
	return s.fault(ctx, wire.Stop, "apiserver", nil)
}

// StartAPIServer starts the API server again, with its data and at its address, and returns when it is ready.
func (s *Sandbox) StartAPIServer(ctx context.Context) error {
	return s.fault(ctx, wire.Start, "apiserver", nil)
}

// Switches are what one version of the demo application does wrong; the zero Switches nothing.
type Switches struct {
	Latency     time.Duration // added before each reply, up to a minute
	ErrorRate   float64       // share of replies with ErrorStatus, [0, 1]
	ErrorStatus int           // 400 to 599; 0 means 500
	Unready     bool          // /readyz fails; requests are still served
}

// Fault sets all switches of a version, v1 or v2: what is not set is mended.
func (s *Sandbox) Fault(ctx context.Context, version string, w Switches) error {
	app := &wire.App{ErrorRate: w.ErrorRate, ErrorStatus: w.ErrorStatus, Unready: w.Unready}
	if w.Latency != 0 {
		app.Latency = w.Latency.String()
	}
	return s.fault(ctx, wire.Break, version, app)
}

func (s *Sandbox) gateway(ctx context.Context, action wire.Action, i int) error {
	return s.fault(ctx, action, strconv.Itoa(i), nil)
}

// fault asks the supervisor, and returns when it is done.
func (s *Sandbox) fault(ctx context.Context, action wire.Action, target string, app *wire.App) error {
	found, err := s.state()
	if err != nil {
		return err
	}
	if err := s.post(ctx, found, "/fault", wire.Fault{Action: action, Target: target, App: app}); err != nil {
		return fmt.Errorf("%s %s: %w", action, target, err)
	}
	return nil
}

// post sends a request to the supervisor.
func (s *Sandbox) post(ctx context.Context, to *state.State, path string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to.Control+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+to.Token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("%s", strings.TrimSpace(string(text)))
	}
	return err
}
