package route

import "slices"

// Object is one Kubernetes object as decoded from JSON: numbers are int64 or float64, everything else as in
// encoding/json. This package reads objects and never changes one.
type Object = map[string]any

// Mesh is what the caller has read besides the object itself. Every field may be empty: then names that need it (version
// labels, say) are not understood, and questions that need it (which entry governs) are answered as unknown.
type Mesh struct {
	Domain           string            // cluster domain, "" reads as cluster.local
	Aliases          map[string]string // --alias word=dest
	DestinationRules []Object          // for version labels of subsets
	Services         []Object          // for version labels of selectors, and ExternalName
	ServiceEntries   []Object          // for version labels of endpoints

	Gateways        []Object // networking.istio.io Gateways
	VirtualServices []Object // all that may share hosts or delegate; the object in question may be among them
	Pods            []Object // gateway pods: labels, namespace; without them every Gateway is taken to have its own

	GatewayAPIs []Object // gateway.networking.k8s.io Gateways
	Routes      []Object // HTTPRoutes and GRPCRoutes

	EndpointSlices []Object // of the destinations' Services; nil if unread
	Workloads      []Object // pods behind them; nil if unread
	RootNamespace  string   // of the mesh config; empty is istio-system

	DefaultExportTo []string // defaultVirtualServiceExportTo of the mesh config; empty is *
	Scoped          []string // revisions with PILOT_SCOPE_GATEWAY_TO_NAMESPACE, as gateway pods name them: Istiod.Scoped
	Istiod          Istiod   // what the mesh config of the revision called default hides
	Assumed         string   // why Istio's defaults stand for what the mesh config says, where it could not be read
}

// Behind is the mesh as these gateway pods see it: the Gateways of other workloads decide nothing there.
func (m *Mesh) Behind(pods []Object) *Mesh {
	behind := *m
	behind.Pods, behind.GatewayAPIs = pods, nil
	for _, g := range m.GatewayAPIs {
		p := m.proxyOf(g)
		if slices.ContainsFunc(pods, func(pod Object) bool {
			return namespace(pod) == p.Namespace && subset(p.Labels, labels(pod, "metadata", "labels"))
		}) {
			behind.GatewayAPIs = append(behind.GatewayAPIs, g)
		}
	}
	return &behind
}

// Among says whether objects hold this one, by namespace and name.
func Among(objects []Object, o Object) bool {
	return slices.ContainsFunc(objects, func(other Object) bool {
		return namespace(other) == namespace(o) && objectName(other) == objectName(o) && str(other, "kind") == str(o, "kind")
	})
}

func (m *Mesh) rootNamespace() string {
	if m.RootNamespace == "" {
		return "istio-system"
	}
	return m.RootNamespace
}

func (m *Mesh) domain() string {
	if m == nil || m.Domain == "" {
		return "cluster.local"
	}
	return m.Domain
}
