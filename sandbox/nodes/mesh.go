//go:build linux

package nodes

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

//go:embed objects.yaml
var objects string

// iop is what `istioctl install` is asked for. Stock Envoy lacks the filters that Istio builds into its own: ALPN, metadata
// exchange, and the telemetry behind istio_requests_total. An empty list of providers ({metrics: []}) is what unsets the
// profile's; {} would not. Envoy's own counters per destination, which Istio hides by default, are shown instead.
const iop = `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: default
  hub: ` + istioHub + `
  tag: ` + istioTag + `
  meshConfig:
    defaultProviders: {metrics: []}
    enablePrometheusMerge: false
    defaultConfig: {proxyStatsMatcher: {inclusionPrefixes: [cluster.outbound]}}
  values:
    global: {imagePullPolicy: IfNotPresent}
    pilot:
      env: {PILOT_ENABLE_ALPN_FILTER: "false", PILOT_ENABLE_METADATA_EXCHANGE: "false"}
      resources: {requests: {cpu: 50m, memory: 128Mi}}
    gateways:
      istio-ingressgateway: {autoscaleEnabled: false}
  components:
    ingressGateways:
    - name: istio-ingressgateway
      enabled: true
      k8s: {replicaCount: %d, resources: {requests: {cpu: 50m, memory: 64Mi}}}
`

// Run runs one of the programs of the run inside the cluster and returns what it printed; its complaints are in the error.
func (c *Cluster) Run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := c.Command(ctx, c.Program(program), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w\n%s%s", program, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out), nil
}

// Apply applies objects as a user would.
func (c *Cluster) Apply(ctx context.Context, yaml string) error {
	file := filepath.Join(c.dir, "apply.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		return err
	}
	_, err := c.Run(ctx, "kubectl", "apply", "-f", file)
	return err
}

// nodeReady waits for the API server and the node.
func (c *Cluster) nodeReady(ctx context.Context, _ *Options) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	err = until(ctx, "the node", 3*time.Minute, func(ctx context.Context) error {
		node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return errors.New("the node is not ready")
	})
	if err != nil {
		return err
	}
	return c.Apply(ctx, objects)
}

// installMesh runs istioctl, then analyzes what it installed.
func (c *Cluster) installMesh(ctx context.Context, o *Options) error {
	file := filepath.Join(c.dir, "iop.yaml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(iop, o.Gateways)), 0o600); err != nil {
		return err
	}
	_, err := c.Run(ctx, "istioctl", "install", "-f", file, "--skip-confirmation", "--readiness-timeout", "5m")
	return err
}

// installDemo installs the two releases of the playground and its gateway and virtual service.
func (c *Cluster) installDemo(ctx context.Context, o *Options) error {
	install := func(name, namespace, tag string) func() error {
		return func() error {
			_, err := c.Run(ctx, "helm", "install", name, filepath.Join(o.Repository, "charts", "demoapp"),
				"--namespace", namespace, "--set", "deployment.tag="+tag, "--wait", "--timeout", "3m")
			return err
		}
	}
	if err := together(install("demoappv1", "prod", "v1"), install("demoappv2", "stage", "v2")); err != nil {
		return err
	}
	for _, name := range []string{"gateway.yaml", "vsvc.yaml"} {
		if _, err := c.Run(ctx, "kubectl", "apply", "-f", filepath.Join(o.Repository, "istio-config", name)); err != nil {
			return err
		}
	}
	return nil
}

// gatewaysReady waits until both versions answer through the node port of the gateways' Service.
func (c *Cluster) gatewaysReady(ctx context.Context, _ *Options) error {
	client, err := c.Client()
	if err != nil {
		return err
	}
	service, err := client.CoreV1().Services("istio-system").Get(ctx, "istio-ingressgateway", metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, port := range service.Spec.Ports {
		if port.Name == "http2" {
			c.state.NodePort = int(port.NodePort)
		}
	}
	if c.state.NodePort == 0 {
		return errors.New("service istio-ingressgateway has no node port http2")
	}
	seen := map[string]bool{}
	return until(ctx, "both versions", time.Minute, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.GatewayURL(), nil)
		if err != nil {
			return err
		}
		transport := &http.Transport{DialContext: c.DialContext, DisableKeepAlives: true}
		reply, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		reply.Body.Close()
		seen[reply.Header.Get("x-app-version")] = true
		if !seen["v1"] || !seen["v2"] {
			return fmt.Errorf("status %d; versions seen: %v", reply.StatusCode, seen)
		}
		return nil
	})
}
