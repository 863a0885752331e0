//go:build unix

package supervisor

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/mesh-split/mesh-split/sandbox/internal/cluster"
	"github.com/mesh-split/mesh-split/sandbox/internal/ports"
	"github.com/mesh-split/mesh-split/sandbox/internal/process"
)

// portMap are the ports of the sandbox that are not a gateway's own.
type portMap struct {
	etcd, etcdPeer, apiServer, kubelet                               int
	istiodGRPC, istiodSecure, istiodHTTP, istiodHTTPS, istiodMonitor int
	apps                                                             [2]struct{ listen, admin int }
	gateway                                                          int // where all gateways listen
}

// takePorts takes all ports.
func (s *Supervisor) takePorts() error {
	for _, p := range []*int{&s.port.etcd, &s.port.etcdPeer, &s.port.apiServer, &s.port.kubelet,
		&s.port.istiodGRPC, &s.port.istiodSecure, &s.port.istiodHTTP, &s.port.istiodHTTPS, &s.port.istiodMonitor,
		&s.port.apps[0].listen, &s.port.apps[0].admin, &s.port.apps[1].listen, &s.port.apps[1].admin} {
		var err error
		if *p, err = s.pool.Take(ports.Plain); err != nil {
			return err
		}
	}
	var err error
	s.port.gateway, err = s.pool.Take(ports.Node)
	return err
}

// The names of children, of their logs, and of components on the command line.
const (
	etcd      = "etcd"
	apiServer = "apiserver"
	istiod    = "istiod"
)

// startEtcd starts etcd. Its clients show a certificate: it holds the cluster's secrets, and loopback has other users.
func (s *Supervisor) startEtcd() (*process.Child, error) {
	return s.start(process.Spec{Name: etcd, Path: s.config.Binary, Args: []string{"etcd",
		"--data", s.file("etcd"), "--client-port", strconv.Itoa(s.port.etcd), "--peer-port", strconv.Itoa(s.port.etcdPeer),
		"--cert", s.pki("etcd.crt"), "--key", s.pki("etcd.key"), "--ca", s.pki("ca.crt")}})
}

// startAPIServer starts the API server. It admits pods without service accounts, since no controller makes those, and
// keeps no Endpoints of its own address, since they may not be loopback.
func (s *Supervisor) startAPIServer() (*process.Child, error) {
	return s.start(process.Spec{Name: apiServer, Path: s.config.Binary, Args: []string{"kube-apiserver",
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", port("secure-port", s.port.apiServer),
		fmt.Sprintf("--etcd-servers=https://127.0.0.1:%d", s.port.etcd),
		"--etcd-certfile=" + s.pki("apiserver.crt"), "--etcd-keyfile=" + s.pki("apiserver.key"), "--etcd-cafile=" + s.pki("ca.crt"),
		"--tls-cert-file=" + s.pki("apiserver.crt"), "--tls-private-key-file=" + s.pki("apiserver.key"),
		"--kubelet-client-certificate=" + s.pki("apiserver.crt"), "--kubelet-client-key=" + s.pki("apiserver.key"),
		"--kubelet-certificate-authority=" + s.pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
		"--token-auth-file=" + s.pki("tokens.csv"), "--authorization-mode=RBAC", "--anonymous-auth=false",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + s.pki("tokens.key"), "--service-account-key-file=" + s.pki("tokens.pub"),
		"--service-cluster-ip-range=10.96.0.0/16", "--endpoint-reconciler-type=none",
		"--disable-admission-plugins=ServiceAccount", "--profiling=false",
	}})
}

// startIstiod starts istiod. Its injection webhook and the upkeep of its validation webhook are off: there is nothing to
// inject into, and the webhook's object is written by package cluster. The two Envoy filters that are off exist in
// Istio's own Envoy only.
func (s *Supervisor) startIstiod() (*process.Child, error) {
	address := func(flag string, port int) string { return fmt.Sprintf("--%s=127.0.0.1:%d", flag, port) }
	return s.start(process.Spec{Name: istiod, Path: s.config.Binary, Dir: s.file("istiod"), Args: []string{"istiod", "discovery",
		"--kubeconfig=" + s.file("istiod", "kubeconfig"), "--domain=cluster.local",
		address("grpcAddr", s.port.istiodGRPC), address("secureGRPCAddr", s.port.istiodSecure), address("httpAddr", s.port.istiodHTTP),
		address("httpsAddr", s.port.istiodHTTPS), address("monitoringAddr", s.port.istiodMonitor), "--ctrlz_port=0",
		"--tlsCertFile=" + s.pki("istiod.crt"), "--tlsKeyFile=" + s.pki("istiod.key"), "--caCertFile=" + s.pki("ca.crt"),
	}, Env: []string{"PILOT_ENABLE_ALPN_FILTER=false", "PILOT_ENABLE_METADATA_EXCHANGE=false",
		"VALIDATION_WEBHOOK_CONFIG_NAME=", "INJECTION_WEBHOOK_CONFIG_NAME=", "POD_NAME=" + cluster.IstiodPod,
		"POD_NAMESPACE=istio-system", "CLUSTER_ID=Kubernetes", "ROOT_CA_DIR=" + s.file("istiod")}})
}

// startApps starts both versions of the demo application.
func (s *Supervisor) startApps() error {
	for i, app := range s.state.Apps {
		_, err := s.start(process.Spec{Name: "demoapp-" + app.Version, Path: s.config.DemoApp, Args: []string{
			"--version", app.Version, "--destination", app.Destination,
			"--listen", fmt.Sprintf("127.0.0.1:%d", s.port.apps[i].listen), "--admin", fmt.Sprintf("127.0.0.1:%d", s.port.apps[i].admin)}})
		if err != nil {
			return err
		}
	}
	return nil
}

// apiServerReady asks the API server.
func (s *Supervisor) apiServerReady(ctx context.Context) error {
	return s.get(ctx, s.apiServer()+"/readyz")
}

// istiodReady asks istiod, and its webhook's port too.
func (s *Supervisor) istiodReady(ctx context.Context) error {
	if err := s.get(ctx, fmt.Sprintf("http://127.0.0.1:%d/ready", s.port.istiodHTTP)); err != nil {
		return err
	}
	return s.get(ctx, fmt.Sprintf("https://127.0.0.1:%d/ready", s.port.istiodHTTPS))
}

func port(flag string, port int) string { return fmt.Sprintf("--%s=%d", flag, port) }

// file is a path in the sandbox's folder, and pki one among its keys and certificates.
func (s *Supervisor) file(parts ...string) string {
	return filepath.Join(append([]string{s.config.Dir}, parts...)...)
}
func (s *Supervisor) pki(name string) string { return s.file("pki", name) }
