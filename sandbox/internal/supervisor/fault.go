//go:build unix

package supervisor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/sandbox/internal/cluster"
	"github.com/mesh-split/mesh-split/sandbox/internal/process"
	"github.com/mesh-split/mesh-split/sandbox/internal/wire"
)

// fault breaks or mends one thing, and returns when it is broken or mended.
func (s *Supervisor) fault(ctx context.Context, f wire.Fault) error {
	switch f.Action {
	case wire.Break:
		return s.breakApp(ctx, f.Target, f.App)
	case wire.Stop:
		return s.stopComponent(ctx, f.Target)
	case wire.Start:
		return s.startComponent(ctx, f.Target)
	}
	g, err := s.gateway(f.Target)
	if err != nil {
		return err
	}
	switch f.Action {
	case wire.Kill:
		return s.killGateway(ctx, g)
	case wire.Restart:
		return s.restartGateway(ctx, g)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch f.Action {
	case wire.Hold:
		g.relay.Hold()
	case wire.Release:
		g.relay.Release()
	case wire.Freeze:
		g.frozen, err = true, g.child.Freeze()
	case wire.Thaw:
		g.frozen, err = false, g.child.Thaw()
	default:
		return fmt.Errorf("unknown action %q", f.Action)
	}
	return errors.Join(err, s.write())
}

// gateway finds a gateway by its number or its pod's name.
func (s *Supervisor) gateway(target string) (*gateway, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := strings.TrimPrefix(target, strings.TrimSuffix(cluster.PodName(0), "0"))
	if i, err := strconv.Atoi(number); err == nil && i >= 0 && i < len(s.gateways) {
		return s.gateways[i], nil
	}
	return nil, fmt.Errorf("no gateway %q; there are 0 to %d", target, len(s.gateways)-1)
}

// killGateway ends an Envoy as a crash would, and says of its pod what a kubelet would say then.
func (s *Supervisor) killGateway(ctx context.Context, g *gateway) error {
	if err := g.child.Stop(ctx, 0); err != nil {
		return err
	}
	s.mu.Lock()
	g.frozen = false
	err := s.write()
	s.mu.Unlock()
	return errors.Join(err, s.podReady(ctx, g, false))
}

// restartGateway starts a gateway that was killed, and waits until it listens again.
func (s *Supervisor) restartGateway(ctx context.Context, g *gateway) error {
	if g.child.Alive() {
		return fmt.Errorf("%s runs", g.pod)
	}
	child, err := s.startGateway(g)
	if err != nil {
		return err
	}
	s.mu.Lock()
	g.child = child
	err = s.write()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if err := s.until(ctx, g.pod, child, func(ctx context.Context) error { return s.gatewayReady(ctx, g, nil) }); err != nil {
		return err
	}
	return s.podReady(ctx, g, true)
}

func (s *Supervisor) podReady(ctx context.Context, g *gateway, ready bool) error {
	client, err := cluster.NewClient(s.rest())
	if err != nil {
		return err
	}
	return client.Status(ctx, cluster.Pod(g.pod), cluster.PodStatus(ready, time.Now()))
}

// stopComponent ends the API server or istiod as a crash would; etcd goes on and keeps the data.
func (s *Supervisor) stopComponent(ctx context.Context, name string) error {
	if name != apiServer && name != istiod {
		return fmt.Errorf("no component %q; there are %s and %s", name, apiServer, istiod)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.children[name].Stop(ctx, 0); err != nil {
		return err
	}
	return s.write()
}

// startComponent starts what stopComponent ended, on the same ports, and waits until it is ready.
func (s *Supervisor) startComponent(ctx context.Context, name string) error {
	start, ready := map[string]func() (*process.Child, error){apiServer: s.startAPIServer, istiod: s.startIstiod}[name],
		map[string]func(context.Context) error{apiServer: s.apiServerReady, istiod: s.istiodReady}[name]
	if start == nil {
		return fmt.Errorf("no component %q; there are %s and %s", name, apiServer, istiod)
	}
	s.mu.Lock()
	running := s.children[name].Alive()
	s.mu.Unlock()
	if running {
		return fmt.Errorf("%s runs", name)
	}
	child, err := start()
	if err != nil {
		return err
	}
	return s.until(ctx, name, child, ready)
}

// breakApp sets the switches of one version.
func (s *Supervisor) breakApp(ctx context.Context, version string, switches *wire.App) error {
	if switches == nil {
		switches = &wire.App{}
	}
	for _, app := range s.state.Apps {
		if app.Version != version && app.Destination != version {
			continue
		}
		body, err := json.Marshal(switches)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, app.AdminURL+"/-/faults", bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(response.Body) // what can be read of it is shown
			return fmt.Errorf("demoapp %s: %s", app.Version, strings.TrimSpace(string(text)))
		}
		return nil
	}
	return fmt.Errorf("no version %q; there are v1 (prod) and v2 (stage)", version)
}
