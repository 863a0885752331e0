//go:build unix

package supervisor

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mesh-split/mesh-split/sandbox/internal/cluster"
	"github.com/mesh-split/mesh-split/sandbox/internal/envoy"
	"github.com/mesh-split/mesh-split/sandbox/internal/kubelet"
	"github.com/mesh-split/mesh-split/sandbox/internal/pki"
	"github.com/mesh-split/mesh-split/sandbox/internal/ports"
	"github.com/mesh-split/mesh-split/sandbox/internal/process"
	"github.com/mesh-split/mesh-split/sandbox/internal/state"
)

// up brings everything up. What can start side by side does: the API server takes longest, so gateways and applications
// start while it does, and istiod as soon as it finds its configuration.
func (s *Supervisor) up(ctx context.Context) error {
	mesh, err := cluster.Files(s.config.Mesh, s.config.Weights)
	if err != nil {
		return fmt.Errorf("%w\nhint: --mesh DIR names the folder of Istio objects to apply", err)
	}
	definitions, err := cluster.Definitions()
	if err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if _, err := s.startEtcd(); err != nil {
		return err
	}
	api, err := s.startAPIServer()
	if err != nil {
		return err
	}
	if err := s.startNode(ctx); err != nil {
		return err
	}
	if err := s.startApps(); err != nil {
		return err
	}
	if err := s.startGateways(); err != nil {
		return err
	}
	if err := s.until(ctx, "the API server", api, s.apiServerReady); err != nil {
		return err
	}
	s.progress("kube-apiserver and etcd: %s", s.apiServer())

	client, err := cluster.NewClient(s.rest())
	if err != nil {
		return err
	}
	if err := client.Create(ctx, cluster.Base()...); err != nil {
		return err
	}
	if err := client.Create(ctx, cluster.MeshConfig()); err != nil {
		return err
	}
	// Istiod waits for definitions that come after it; starting it first lets its own start overlap with theirs.
	pilot, err := s.startIstiod()
	if err != nil {
		return err
	}
	if err := client.Define(ctx, definitions...); err != nil {
		return err
	}
	s.progress("%d definitions of Istio and the Gateway API", len(definitions))
	layout := s.layout()
	if err := s.createObjects(ctx, client, layout); err != nil {
		return err
	}
	if err := s.until(ctx, "istiod", pilot, s.istiodReady); err != nil {
		return err
	}
	s.progress("istiod")
	if err := s.createMesh(ctx, client, layout, pilot, mesh); err != nil {
		return err
	}
	if err := s.waitGateways(ctx, mesh); err != nil {
		return err
	}
	s.progress("%d ingress gateways (Envoy) on %s", len(s.gateways), s.state.GatewayURL)
	return s.serveControl(ctx)
}

// prepare finds Envoy, takes ports and writes everything that is read from files.
func (s *Supervisor) prepare(ctx context.Context) (err error) {
	search := envoy.Search{Path: s.config.Envoy, Env: s.config.EnvoyEnv, Cache: s.config.Cache, Say: s.progress}
	if s.envoy, err = search.Find(ctx); err != nil {
		return err
	}
	if s.pool, err = ports.NewPool(filepath.Join(s.config.Cache, "ports"), seeded()); err != nil {
		return err
	}
	if err := s.takePorts(); err != nil {
		return err
	}
	for _, name := range []string{"logs", "pki", "etcd", "istiod", "envoy"} {
		if err := os.MkdirAll(s.file(name), 0o700); err != nil {
			return err
		}
	}
	logs, _ := filepath.Glob(s.file("logs", "*.log")) // of the sandbox before; the pattern is well formed
	for _, log := range logs {
		if filepath.Base(log) != "supervisor.log" { // our own
			os.Remove(log)
		}
	}
	if s.ca, err = pki.NewAuthority(s.began); err != nil {
		return err
	}
	for _, name := range []string{"etcd", "apiserver", "istiod", "kubelet"} {
		if err := s.ca.Issue(s.file("pki"), name); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.pki("ca.crt"), s.ca.PEM(), 0o600); err != nil {
		return err
	}
	if err := pki.IssueKey(s.file("pki"), "tokens"); err != nil {
		return err
	}
	s.tokens = newTokens()
	if err := s.tokens.write(s.pki("tokens.csv")); err != nil {
		return err
	}
	s.describe()
	return s.writeKubeconfigs()
}

// describe fills the state with what is known before anything runs.
func (s *Supervisor) describe() {
	self, err := process.Identify(os.Getpid())
	if err != nil {
		self = process.Identity{PID: os.Getpid()} // a sweep will not find it, and its lock on the folder still holds
	}
	s.state = state.State{Supervisor: self, Kubeconfig: s.kubeconfig(), APIServer: s.apiServer(),
		GatewayURL: "http://" + loopback(s.port.gateway),
		Istiod:     state.Istiod{DebugURL: "http://" + loopback(s.port.istiodHTTP), MonitorURL: "http://" + loopback(s.port.istiodMonitor)}}
	for i, app := range []state.App{{Version: "v1", Destination: "prod"}, {Version: "v2", Destination: "stage"}} {
		app.Host = "flaskapp." + app.Destination + ".svc.cluster.local"
		app.URL = "http://" + loopback(s.port.apps[i].listen)
		app.AdminURL = "http://" + loopback(s.port.apps[i].admin)
		s.state.Apps = append(s.state.Apps, app)
	}
}

// layout is what the cluster's objects have to tell.
func (s *Supervisor) layout() cluster.Layout {
	l := cluster.Layout{GatewayPort: s.port.gateway, KubeletPort: s.port.kubelet, CA: s.ca.PEM(),
		WebhookURL: fmt.Sprintf("https://127.0.0.1:%d/validate", s.port.istiodHTTPS)}
	for i, app := range s.state.Apps {
		l.Apps = append(l.Apps, cluster.App{Host: app.Host, Version: app.Version, Port: s.port.apps[i].listen})
	}
	return l
}

// startNode serves port-forwards.
func (s *Supervisor) startNode(ctx context.Context) error {
	certificate, err := tls.LoadX509KeyPair(s.pki("kubelet.crt"), s.pki("kubelet.key"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", loopback(s.port.kubelet))
	if err != nil {
		return err
	}
	handler := kubelet.Handler(func(t kubelet.Target) (string, bool) { return s.resolve(t.Namespace, t.Pod, t.Port) })
	go func() {
		if err := kubelet.Serve(ctx, listener, certificate, s.ca.Pool(), handler); err != nil {
			s.down(fmt.Errorf("serving port-forwards: %w", err))
		}
	}()
	return nil
}

// createObjects creates what does not need istiod's consent.
func (s *Supervisor) createObjects(ctx context.Context, client *cluster.Client, layout cluster.Layout) error {
	node, nodeStatus := layout.Node()
	objects := append(cluster.Viewer(), layout.Service(), node, cluster.Istiod())
	for _, g := range s.gateways {
		objects = append(objects, cluster.Pod(g.pod))
	}
	if err := client.Create(ctx, objects...); err != nil {
		return err
	}
	if err := client.Status(ctx, node, nodeStatus); err != nil {
		return err
	}
	if err := client.Status(ctx, cluster.Istiod(), cluster.IstiodStatus(time.Now())); err != nil {
		return err
	}
	for _, g := range s.gateways {
		if err := client.Status(ctx, cluster.Pod(g.pod), cluster.PodStatus(true, time.Now())); err != nil {
			return err
		}
	}
	return nil
}

// createMesh creates the Istio objects, and returns when istiod's validation is asked before each write: the API server
// learns of a webhook a moment after it was created.
func (s *Supervisor) createMesh(ctx context.Context, client *cluster.Client, layout cluster.Layout, pilot *process.Child, mesh []*unstructured.Unstructured) error {
	objects := append(layout.ServiceEntries(), mesh...)
	err := s.until(ctx, "the definitions", pilot, func(ctx context.Context) error { return client.Served(ctx, objects...) })
	if err != nil {
		return err
	}
	if err := client.Create(ctx, objects...); err != nil {
		return err
	}
	s.progress("%s, and the demo application v1 and v2", s.config.Mesh)
	if err := client.Create(ctx, layout.Webhook()); err != nil {
		return err
	}
	err = s.until(ctx, "istiod's validation", pilot, client.Denies)
	if err == nil {
		s.progress("istiod's validation webhook denies a wrong VirtualService")
	}
	return err
}

// waitGateways waits until each gateway has its listener and the routes of the VirtualServices.
func (s *Supervisor) waitGateways(ctx context.Context, mesh []*unstructured.Unstructured) error {
	var routes []string
	for _, o := range mesh {
		if o.GetKind() == "VirtualService" {
			routes = append(routes, "/namespaces/"+o.GetNamespace()+"/virtual-service/"+o.GetName())
		}
	}
	for _, g := range s.gateways {
		err := s.until(ctx, g.pod, g.child, func(ctx context.Context) error { return s.gatewayReady(ctx, g, routes) })
		if err != nil {
			return err
		}
	}
	return nil
}
