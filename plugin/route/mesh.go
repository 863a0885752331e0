package route

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

	DefaultExportTo  []string // defaultVirtualServiceExportTo of the mesh config; empty is *
	ScopedToGateways bool     // PILOT_SCOPE_GATEWAY_TO_NAMESPACE: gateway pods take only Gateways of their namespace
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
