package envoy

import "sigs.k8s.io/yaml"

// Gateway is what makes one Envoy an ingress gateway of the sandbox.
type Gateway struct {
	Pod       string // name of its Pod object in istio-system
	AdminPort int    // on 127.0.0.1
	XDSPort   int    // on 127.0.0.1: istiod's plaintext gRPC port, or a relay to it
}

// IstioVersion is what the gateway claims to be, so that istiod sends what it would send to a proxy of its own release.
const IstioVersion = "1.31.0"

type object = map[string]any

// Bootstrap is Envoy's configuration file: who it is, and where its listeners, clusters and routes come from.
//
// The node's id is what istiod reads: type, address, pod and domain. UNPRIVILEGED_POD makes istiod skip ports under 1024
// unless a Service maps them to a port that this user may open. With initial_fetch_timeout 0 a gateway that comes before
// istiod waits for it instead of starting empty; the short back-off (Envoy's own is 0.5 to 30 s) makes one that lost
// istiod come back within a second of istiod's return.
func (g Gateway) Bootstrap() ([]byte, error) {
	ads := object{"ads": object{}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
	return yaml.Marshal(object{
		"node": object{
			"id":      "router~127.0.0.1~" + g.Pod + ".istio-system~istio-system.svc.cluster.local",
			"cluster": "istio-ingressgateway.istio-system",
			"metadata": object{
				"NAMESPACE": "istio-system", "NAME": g.Pod, "CLUSTER_ID": "Kubernetes", "MESH_ID": "cluster.local",
				"LABELS":        object{"istio": "ingressgateway", "app": "istio-ingressgateway"},
				"ISTIO_VERSION": IstioVersion, "UNPRIVILEGED_POD": "true",
			},
		},
		"dynamic_resources": object{
			"lds_config": ads, "cds_config": ads,
			"ads_config": object{"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": []any{object{
				"envoy_grpc": object{"cluster_name": "xds-grpc",
					"retry_policy": object{"retry_back_off": object{"base_interval": "0.05s", "max_interval": "0.5s"}}},
			}}},
		},
		"static_resources": object{"clusters": []any{object{
			"name": "xds-grpc", "type": "STATIC", "connect_timeout": "1s",
			"typed_extension_protocol_options": object{
				"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": object{
					"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
					"explicit_http_config": object{"http2_protocol_options": object{}},
				},
			},
			"load_assignment": object{"cluster_name": "xds-grpc", "endpoints": []any{object{"lb_endpoints": []any{object{
				"endpoint": object{"address": socket(g.XDSPort)}}}}}},
		}}},
		"admin": object{"address": socket(g.AdminPort)},
	})
}

// Args are Envoy's arguments. Each gateway has one worker thread, so that several fit a small machine; hot restart is off,
// since it takes shared memory that two Envoys of one user would fight over.
func (g Gateway) Args(bootstrap string) []string {
	return []string{"-c", bootstrap, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"}
}

func socket(port int) object {
	return object{"socket_address": object{"address": "127.0.0.1", "port_value": port}}
}
