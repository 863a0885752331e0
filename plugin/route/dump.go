package route

// Dump is the part of an Envoy's config_dump that this package reads: the dynamic route configurations.
type Dump struct {
	Configs []RouteConfig
}

// RouteConfig is one route configuration of an Envoy, such as "http.8080".
type RouteConfig struct {
	Name         string
	Version      string // version_info
	LastUpdated  string // shown, not trusted
	Error        string // why Envoy refused the newest one (a NACK), or ""
	VirtualHosts []VirtualHost
}

// VirtualHost is a set of domains with their routes in order.
type VirtualHost struct {
	Name    string
	Domains []string
	Routes  []EnvoyRoute
}

// EnvoyRoute is one route as Envoy has it.
type EnvoyRoute struct {
	Name      string
	Kind      string // "virtual-service" where Istio's metadata says so
	Namespace string // of the object it was made from
	Object    string
	Clusters  []ClusterWeight // one with weight 1 for a plain cluster; none for redirects and the like
}

// ClusterWeight is one destination of a route.
type ClusterWeight struct {
	Cluster string // outbound|port|subset|fqdn
	Weight  int64
}

// ParseDump reads GET /config_dump, whole or with resource=dynamic_route_configs.
func ParseDump(data []byte) (*Dump, error) { panic("being built") }
