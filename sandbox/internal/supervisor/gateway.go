//go:build unix

package supervisor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/mesh-split/mesh-split/sandbox/internal/cluster"
	"github.com/mesh-split/mesh-split/sandbox/internal/envoy"
	"github.com/mesh-split/mesh-split/sandbox/internal/ports"
	"github.com/mesh-split/mesh-split/sandbox/internal/process"
	"github.com/mesh-split/mesh-split/sandbox/internal/relay"
	"github.com/mesh-split/mesh-split/sandbox/internal/state"
)

// gateway is one Envoy, the relay between it and istiod, and its pod.
type gateway struct {
	pod    string
	admin  int // port
	relay  *relay.Relay
	child  *process.Child
	frozen bool
}

func (g *gateway) adminURL() string { return fmt.Sprintf("http://127.0.0.1:%d", g.admin) }

func (g *gateway) state() state.Gateway {
	return state.Gateway{Pod: g.pod, AdminURL: g.adminURL(), Stale: g.relay.Held(), Frozen: g.frozen, Running: g.child != nil && g.child.Alive()}
}

// startGateways starts all gateways. They come before istiod and wait for it.
func (s *Supervisor) startGateways() error {
	for i := range s.config.Gateways {
		admin, err := s.pool.Take(ports.Plain)
		if err != nil {
			return err
		}
		xds, err := s.pool.Take(ports.Plain)
		if err != nil {
			return err
		}
		r, err := relay.Listen(loopback(xds), loopback(s.port.istiodGRPC))
		if err != nil {
			return err
		}
		g := &gateway{pod: cluster.PodName(i), admin: admin, relay: r}
		s.mu.Lock()
		s.gateways = append(s.gateways, g)
		s.mu.Unlock()
		bootstrap, err := envoy.Gateway{Pod: g.pod, AdminPort: admin, XDSPort: xds}.Bootstrap()
		if err != nil {
			return err
		}
		if err := os.WriteFile(s.bootstrapOf(g), bootstrap, 0o600); err != nil {
			return err
		}
		if g.child, err = s.startGateway(g); err != nil {
			return err
		}
	}
	return nil
}

func (s *Supervisor) startGateway(g *gateway) (*process.Child, error) {
	return s.start(process.Spec{Name: g.pod, Path: s.envoy, Args: envoy.Gateway{}.Args(s.bootstrapOf(g))})
}

func (s *Supervisor) bootstrapOf(g *gateway) string { return s.file("envoy", g.pod+".yaml") }

// gatewayReady says whether the gateway listens for users and has the routes of each VirtualService that was applied.
func (s *Supervisor) gatewayReady(ctx context.Context, g *gateway, virtualServices []string) error {
	var listeners struct {
		Statuses []struct {
			Local struct {
				Socket struct {
					Port int `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	data, err := s.fetch(ctx, g.adminURL()+"/listeners?format=json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &listeners); err != nil {
		return err
	}
	listens := false
	for _, l := range listeners.Statuses {
		listens = listens || l.Local.Socket.Port == s.port.gateway
	}
	if !listens {
		return fmt.Errorf("%s has no listener on port %d", g.pod, s.port.gateway)
	}
	dump, err := s.fetch(ctx, g.adminURL()+"/config_dump?resource=dynamic_route_configs")
	if err != nil {
		return err
	}
	for _, name := range virtualServices {
		if !strings.Contains(string(dump), name+`"`) {
			return fmt.Errorf("%s has no routes of %s", g.pod, name)
		}
	}
	return nil
}

// resolve is the node's knowledge of its pods: a gateway's port 15000 is its Envoy's admin port, and the port of
// the Service is where it listens.
func (s *Supervisor) resolve(namespace, pod string, port int32) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if namespace == cluster.Namespace && pod == cluster.IstiodPod {
		switch port {
		case 8080:
			return loopback(s.port.istiodHTTP), true
		case 15014:
			return loopback(s.port.istiodMonitor), true
		}
	}
	for _, g := range s.gateways {
		if namespace != cluster.Namespace || pod != g.pod {
			continue
		}
		switch int(port) {
		case 15000:
			return loopback(g.admin), true
		case s.port.gateway:
			return loopback(s.port.gateway), true // all gateways share it: which one answers is the kernel's choice
		}
	}
	return "", false
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
