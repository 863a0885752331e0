//go:build unix

package plugintest

import (
	"bytes"
	"net/url"
	"os"
	"strings"
	"text/template"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mesh-split/mesh-split/sandbox"
)

// httpRoute is a route of the Gateway API with all it needs. The Gateway names the Service of the ingress gateways that are
// there (Istio's manual deployment), so the same Envoys serve it. Kubernetes forbids loopback addresses in EndpointSlices, so
// each Service gets its endpoint from a ServiceEntry of the same host: istiod gives a host the endpoints of both.
var httpRoute = template.Must(template.New("").Parse(`
{{- $name := .Name -}}
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: {{$name}}, namespace: istio-system}
spec:
  gatewayClassName: istio
  addresses: [{type: Hostname, value: istio-ingressgateway.istio-system.svc.cluster.local}]
  listeners: [{name: http, port: 80, protocol: HTTP, hostname: {{$name}}.example.com, allowedRoutes: {namespaces: {from: All}}}]
{{- range .Apps}}
---
apiVersion: v1
kind: Service
metadata: {name: {{$name}}-{{.Version}}, namespace: default}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: {{$name}}-{{.Version}}, namespace: default}
spec:
  hosts: [{{$name}}-{{.Version}}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1, ports: {http: {{.Port}}}, labels: {version: {{.Version}}}}]
{{- end}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: {{.Kind}}
metadata: {name: {{$name}}, namespace: default}
spec:
  parentRefs: [{name: {{$name}}, namespace: istio-system}]
  hostnames: [{{$name}}.example.com]
  rules:
  - matches: [{headers: [{name: x-canary, value: "yes"}]}]
    backendRefs: [{name: {{$name}}-v2, port: 80}]
  - name: everyone
    backendRefs:
    - {name: {{$name}}-v1, port: 80, weight: {{.A}}}
    - {name: {{$name}}-v2, port: 80, weight: {{.B}}}
`))

// httproute KIND NAME WEIGHT/WEIGHT: an HTTPRoute or GRPCRoute of the script's own, for host NAME.example.com, live on every
// gateway; its second rule splits between Services NAME-v1 and NAME-v2. All of it is deleted at the end of the script.
func httpRouteCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: httproute HTTPRoute|GRPCRoute NAME WEIGHT/WEIGHT")
	}
	a, b, _ := strings.Cut(args[2], "/")
	manifest, err := httpRouteManifest(of(ts), args[0], args[1], a, b)
	ts.Check(err)
	file := ts.MkAbs(args[1] + ".yaml")
	ts.Check(os.WriteFile(file, manifest, 0o600))
	applyCommand(ts, false, []string{file})
	ts.Check(ts.Exec("kubectl-mesh_split", "wait", strings.ToLower(args[0])+"/"+args[1], "--route", "1", "--for=live"))
}

func httpRouteManifest(s *sandbox.Sandbox, kind, name, a, b string) ([]byte, error) {
	type app struct{ Version, Port string }
	var apps []app
	for _, one := range s.Apps() {
		u, err := url.Parse(one.URL)
		if err != nil {
			return nil, err
		}
		apps = append(apps, app{one.Version, u.Port()})
	}
	var manifest bytes.Buffer
	err := httpRoute.Execute(&manifest, map[string]any{"Kind": kind, "Name": name, "Apps": apps, "A": a, "B": b})
	return manifest.Bytes(), err
}
