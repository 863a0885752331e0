package cluster

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mesh-split/mesh-split/sandbox/internal/crds"
)

type object = map[string]any

// Layout is what the objects have to tell.
type Layout struct {
	GatewayPort int    // where the gateways listen; the Service's nodePort and targetPort
	KubeletPort int    // where the node's port-forward endpoint listens
	WebhookURL  string // of istiod's validation
	CA          []byte // PEM; who signed istiod's certificate
	Apps        []App
}

// App is a destination outside the cluster's own pods.
type App struct {
	Host    string // name in VirtualServices
	Version string // label of its endpoint, as pods have it
	Port    int    // on 127.0.0.1
}

const (
	// NodeName is the one node.
	NodeName = "sandbox"
	// Namespace holds istiod and the gateways.
	Namespace = "istio-system"
	// ViewerUser may get, list and watch, and nothing else.
	ViewerUser = "mesh-sandbox-viewer"
)

var gatewayLabels = object{"istio": "ingressgateway", "app": "istio-ingressgateway"}

// Base are the objects that istiod wants to find when it starts, without the definitions.
//
// The mesh configuration switches off what a stock Envoy on loopback cannot have: automatic mTLS (it would wait for
// ever for certificates from SDS) and Istio's own telemetry filters, which only Istio's Envoy is built with.
func Base() []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	for _, name := range []string{Namespace, "prod", "stage"} {
		objects = append(objects, &unstructured.Unstructured{Object: object{"apiVersion": "v1", "kind": "Namespace",
			"metadata": object{"name": name, "labels": object{"kubernetes.io/metadata.name": name}}}})
	}
	return objects
}

// MeshConfig is the ConfigMap that holds Istio's mesh configuration.
func MeshConfig() *unstructured.Unstructured {
	return named("v1", "ConfigMap", Namespace, "istio", object{"data": object{
		"mesh": "enableAutoMtls: false\nenablePrometheusMerge: false\ndefaultProviders: {metrics: []}\n" +
			"accessLogFile: \"\"\n",
		"meshNetworks": "networks: {}\n",
	}})
}

// Definitions are the custom resource definitions.
func Definitions() ([]*unstructured.Unstructured, error) {
	data, err := crds.YAML()
	if err != nil {
		return nil, err
	}
	return Decode(data)
}

// Node is the node that all gateway pods are on. Its only address is an IP: the API server would prefer a host name, and
// look it up.
func (l Layout) Node() (*unstructured.Unstructured, object) {
	return named("v1", "Node", "", NodeName, object{"metadata": object{"name": NodeName,
			"labels": object{"kubernetes.io/os": "linux", "kubernetes.io/hostname": NodeName}}}),
		object{
			"addresses":       []any{object{"type": "InternalIP", "address": "127.0.0.1"}},
			"daemonEndpoints": object{"kubeletEndpoint": object{"Port": int64(l.KubeletPort)}},
			"conditions":      []any{condition("Ready", true)},
		}
}

// Service makes istiod map port 80 of a Gateway to the port that the gateways can open without root. It has no address
// of a load balancer, as on a bare-metal cluster: users come by hostIP and nodePort.
func (l Layout) Service() *unstructured.Unstructured {
	return named("v1", "Service", Namespace, "istio-ingressgateway", object{"spec": object{
		"type": "LoadBalancer", "selector": gatewayLabels, "allocateLoadBalancerNodePorts": true,
		"ports": []any{object{"name": "http2", "port": int64(80), "protocol": "TCP",
			"targetPort": int64(l.GatewayPort), "nodePort": int64(l.GatewayPort)}},
	}})
}

// Pod is a gateway's Pod object, with the annotation by which Istio's injector says whose it is.
func Pod(name string) *unstructured.Unstructured {
	o := named("v1", "Pod", Namespace, name, object{"spec": object{
		"nodeName": NodeName, "automountServiceAccountToken": false,
		"containers": []any{object{"name": "istio-proxy", "image": "envoy",
			"ports": []any{object{"name": "envoy-admin", "containerPort": int64(15000)}}}},
	}})
	o.SetLabels(map[string]string{"istio": "ingressgateway", "app": "istio-ingressgateway"})
	o.SetAnnotations(map[string]string{"istio.io/rev": "default"})
	return o
}

// IstiodPod is the name of istiod's Pod object.
const IstiodPod = "istiod-sandbox"

// Istiod is istiod's Pod object: whoever asks it something comes by a port-forward.
func Istiod() *unstructured.Unstructured {
	o := named("v1", "Pod", Namespace, IstiodPod, object{"spec": object{
		"nodeName": NodeName, "automountServiceAccountToken": false,
		"containers": []any{object{"name": "discovery", "image": "pilot",
			"env":   []any{object{"name": "REVISION", "value": "default"}},
			"ports": []any{object{"name": "http-debug", "containerPort": int64(8080)}, object{"name": "http-monitoring", "containerPort": int64(15014)}}}},
	}})
	o.SetLabels(map[string]string{"istio": "pilot", "app": "istiod", "istio.io/rev": "default"})
	return o
}

// PodStatus is what a kubelet would say of a gateway.
func PodStatus(ready bool, now time.Time) object {
	return podStatus("istio-proxy", "envoy", ready, now)
}

// IstiodStatus is what a kubelet would say of istiod.
func IstiodStatus(now time.Time) object { return podStatus("discovery", "pilot", true, now) }

func podStatus(container, image string, ready bool, now time.Time) object {
	state := object{"running": object{"startedAt": now.UTC().Format(time.RFC3339)}, "terminated": nil}
	if !ready {
		state = object{"terminated": object{"exitCode": int64(137), "reason": "Error"}, "running": nil}
	}
	return object{
		"phase": "Running", "podIP": "127.0.0.1", "hostIP": "127.0.0.1",
		"podIPs": []any{object{"ip": "127.0.0.1"}}, "hostIPs": []any{object{"ip": "127.0.0.1"}},
		"conditions": []any{condition("PodScheduled", true), condition("Initialized", true),
			condition("ContainersReady", ready), condition("Ready", ready)},
		"containerStatuses": []any{object{"name": container, "image": image, "imageID": "", "ready": ready,
			"started": ready, "restartCount": int64(0), "state": state}},
	}
}

// Viewer are the rights of the restricted user.
func Viewer() []*unstructured.Unstructured {
	const group = "rbac.authorization.k8s.io"
	return []*unstructured.Unstructured{
		named(group+"/v1", "ClusterRole", "", ViewerUser, object{"rules": []any{object{
			"apiGroups": []any{"*"}, "resources": []any{"*"}, "verbs": []any{"get", "list", "watch"}}}}),
		named(group+"/v1", "ClusterRoleBinding", "", ViewerUser, object{
			"roleRef":  object{"apiGroup": group, "kind": "ClusterRole", "name": ViewerUser},
			"subjects": []any{object{"apiGroup": group, "kind": "User", "name": ViewerUser}}}),
	}
}

func condition(kind string, status bool) object {
	text := map[bool]string{true: "True", false: "False"}[status]
	return object{"type": kind, "status": text}
}

// named makes an object; rest may bring metadata of its own.
func named(apiVersion, kind, namespace, name string, rest object) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: rest}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetName(name)
	if namespace != "" {
		o.SetNamespace(namespace)
	}
	return o
}

// PodName is the name of gateway number i, from 0, as a StatefulSet would number it.
func PodName(i int) string { return fmt.Sprintf("istio-ingressgateway-%d", i) }
