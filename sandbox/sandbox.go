//go:build unix

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/mesh-split/mesh-split/sandbox/internal/state"
	"github.com/mesh-split/mesh-split/sandbox/internal/wire"
)

// The kubeconfig's contexts.
const (
	Context       = "mesh-sandbox"        // may do everything
	ViewerContext = "mesh-sandbox-viewer" // may get, list and watch, and nothing else
)

// Sandbox is a running sandbox. Its methods may be used concurrently.
type Sandbox struct {
	dir    string
	lease  io.Closer     // nil when detached
	reaped chan struct{} // closed when the supervisor is gone from the process table; nil if it is not our child
}

// ErrNone says that no sandbox runs in a folder.
var ErrNone = errors.New("no sandbox runs here")

// Attach finds the sandbox that runs in dir.
func Attach(dir string) (*Sandbox, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{dir: dir}
	found, err := s.state()
	if err != nil {
		return nil, err
	}
	if !found.Ready {
		return nil, fmt.Errorf("the sandbox in %s is still coming up", dir)
	}
	return s, nil
}

// state reads the present state.
func (s *Sandbox) state() (*state.State, error) {
	found, err := state.Read(s.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !found.Running() {
		return nil, fmt.Errorf("%s: %w\nhint: sandbox up --dir %s", s.dir, ErrNone, s.dir)
	}
	return found, err
}

// known is the state of a sandbox that was ready once: what it holds then never changes, so an old copy will do.
func (s *Sandbox) known() *state.State {
	found, err := state.Read(s.dir)
	if err != nil {
		return &state.State{}
	}
	return found
}

// Dir is the sandbox's folder.
func (s *Sandbox) Dir() string { return s.dir }

// Kubeconfig is the path of a kubeconfig with the contexts [Context] and [ViewerContext].
func (s *Sandbox) Kubeconfig() string { return filepath.Join(s.dir, "kubeconfig") }

// GatewayURL is where users' requests go: hostIP and nodePort of the ingress gateway. Empty once the sandbox is down.
func (s *Sandbox) GatewayURL() string { return s.known().GatewayURL }

// Gateway is one ingress gateway.
type Gateway struct {
	Pod      string // its Pod object in istio-system
	AdminURL string // its Envoy's admin port
	Stale    bool   // [Sandbox.Hold] is in force
	Frozen   bool   // [Sandbox.Freeze] is in force
	Running  bool
}

// Gateways are all gateways, by number.
func (s *Sandbox) Gateways() []Gateway {
	var all []Gateway
	for _, g := range s.known().Gateways {
		all = append(all, Gateway(g))
	}
	return all
}

// App is one version of the demo application.
type App struct {
	Version     string // as in its header x-app-version: v1, v2
	Destination string // as in its header x-app-destination: prod, stage
	Host        string // in the VirtualService
	URL         string // past the gateways
	AdminURL    string // its switches and counts
}

// Apps are both versions: v1 in prod, v2 in stage.
func (s *Sandbox) Apps() []App {
	var all []App
	for _, a := range s.known().Apps {
		all = append(all, App(a))
	}
	return all
}

// IstiodURL is istiod's debug port: /debug/syncz, /debug/config_dump.
func (s *Sandbox) IstiodURL() string { return s.known().Istiod.DebugURL }

// Processes are the ids of everything that runs, by name; the supervisor included.
func (s *Sandbox) Processes() map[string]int {
	found := s.known()
	ids := map[string]int{"supervisor": found.Supervisor.PID}
	for name, child := range found.Children {
		if child.Alive() {
			ids[name] = child.PID
		}
	}
	return ids
}

// Down ends the sandbox and returns when all its processes have ended. One that is down already is no error.
func (s *Sandbox) Down(ctx context.Context) error {
	if s.lease != nil {
		s.lease.Close() // enough by itself; the request below only says why
	}
	if err := Down(ctx, s.dir); err != nil || s.reaped == nil {
		return err
	}
	select {
	case <-s.reaped:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Down ends whatever a sandbox in dir has running, or has left after a crash.
func Down(ctx context.Context, dir string) error {
	found, err := state.Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && found.Running() {
		if found.Ready {
			_ = (&Sandbox{dir: dir}).post(ctx, found, "/down", nil) // if it does not hear, the sweep does it
		} else {
			_ = found.Supervisor.Terminate() // still coming up: it has no control port yet
		}
		_ = state.WaitStopped(ctx, dir, wire.Patience/4)
	}
	return state.Sweep(ctx, dir)
}
