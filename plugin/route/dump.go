package route

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// Dump is the part of an Envoy's config_dump that this package reads: the dynamic route configurations.
type Dump struct {
	Configs []RouteConfig
}

// RouteConfig is one route configuration of an Envoy, such as "http.8080".
type RouteConfig struct {
	Name         string
	Version      string // version_info
	LastUpdated  string // RFC 3339; shown, not trusted
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
	Namespace string // of the object it was made from, by Istio's metadata
	Object    string
	Match     map[string]any  // as in the dump
	Clusters  []ClusterWeight // one with weight 1 for a plain cluster; none for redirects and the like
	Mirrors   []string        // clusters that get copies
}

// ClusterWeight is one destination of a route.
type ClusterWeight struct {
	Cluster string // outbound|port|subset|fqdn
	Weight  int64
	Says    string // what replies through it say in InjectedHeader; "" without
}

// The JSON of GET /config_dump?resource=dynamic_route_configs: a list of DynamicRouteConfig. The whole dump holds the same
// inside a RoutesConfigDump. https://www.envoyproxy.io/docs/envoy/latest/api-v3/admin/v3/config_dump.proto
type (
	dumpJSON struct {
		Configs []configJSON `json:"configs"`
	}
	configJSON struct {
		dynamicJSON
		Dynamic []dynamicJSON `json:"dynamic_route_configs"`
	}
	dynamicJSON struct {
		Version     string          `json:"version_info"`
		RouteConfig routeConfigJSON `json:"route_config"`
		LastUpdated string          `json:"last_updated"`
		ErrorState  struct {
			Details string `json:"details"`
		} `json:"error_state"`
	}
	routeConfigJSON struct {
		Name         string `json:"name"`
		VirtualHosts []struct {
			Name    string      `json:"name"`
			Domains []string    `json:"domains"`
			Routes  []routeJSON `json:"routes"`
		} `json:"virtual_hosts"`
	}
	routeJSON struct {
		Name   string         `json:"name"`
		Match  map[string]any `json:"match"`
		Says   headersJSON    `json:"response_headers_to_add"` // also that of a lone destination
		Action struct {
			Cluster  string `json:"cluster"`
			Weighted *struct {
				Clusters []struct {
					Name   string          `json:"name"`
					Weight json.RawMessage `json:"weight"`
					Says   headersJSON     `json:"response_headers_to_add"`
				} `json:"clusters"`
			} `json:"weighted_clusters"`
			Mirrors []struct {
				Cluster string `json:"cluster"`
			} `json:"request_mirror_policies"`
		} `json:"route"`
		Metadata struct {
			Filter map[string]json.RawMessage `json:"filter_metadata"`
		} `json:"metadata"`
	}
	headersJSON []struct {
		Header struct {
			Key   string `json:"key"`
			Value string `json:"value"`
		} `json:"header"`
	}
)

// injected is the value of the header by which destinations are told apart.
func (h headersJSON) injected() string {
	for _, one := range h {
		if strings.EqualFold(one.Header.Key, InjectedHeader) {
			return one.Header.Value
		}
	}
	return ""
}

// ParseDump reads the answer of GET /config_dump, whole or with resource=dynamic_route_configs. The error says that it is
// no such document; route configurations that hold something unknown are read as far as they go, never misread: a route
// whose weights are unreadable is an error.
func ParseDump(data []byte) (*Dump, error) {
	var doc dumpJSON
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, notDump(err)
	}
	if doc.Configs == nil {
		var top map[string]json.RawMessage
		if err := json.Unmarshal(data, &top); err != nil || len(top) > 0 { // an Envoy without route configurations says {}
			return nil, notDump(fmt.Errorf(`no "configs" in it`))
		}
	}
	d := new(Dump)
	for _, c := range doc.Configs {
		all := c.Dynamic
		if c.RouteConfig.Name != "" {
			all = append(all, c.dynamicJSON)
		}
		for _, one := range all {
			config, err := readConfig(one)
			if err != nil {
				return nil, notDump(err)
			}
			d.Configs = append(d.Configs, config)
		}
	}
	return d, nil
}

func notDump(err error) error {
	return fault.New(fault.Failed, "fetch it with /config_dump?resource=dynamic_route_configs", "reading an envoy's config_dump: %w", err)
}

func readConfig(c dynamicJSON) (RouteConfig, error) {
	out := RouteConfig{Name: c.RouteConfig.Name, Version: c.Version, LastUpdated: c.LastUpdated, Error: c.ErrorState.Details}
	for _, h := range c.RouteConfig.VirtualHosts {
		host := VirtualHost{Name: h.Name, Domains: h.Domains}
		for _, r := range h.Routes {
			route := EnvoyRoute{Name: r.Name, Match: r.Match}
			route.Namespace, route.Object = configPath(r.Metadata.Filter["istio"])
			if r.Action.Cluster != "" {
				route.Clusters = []ClusterWeight{{r.Action.Cluster, 1, r.Says.injected()}}
			}
			for _, m := range r.Action.Mirrors {
				route.Mirrors = append(route.Mirrors, m.Cluster)
			}
			if r.Action.Weighted != nil {
				for _, c := range r.Action.Weighted.Clusters {
					weight, err := jsonWeight(c.Weight)
					if err != nil {
						return out, fmt.Errorf("route configuration %s, cluster %s: %w", printable(out.Name), printable(c.Name), err)
					}
					route.Clusters = append(route.Clusters, ClusterWeight{c.Name, weight, c.Says.injected()})
				}
			}
			host.Routes = append(host.Routes, route)
		}
		out.VirtualHosts = append(out.VirtualHosts, host)
	}
	return out, nil
}

// jsonWeight reads a UInt32Value; an absent one is 0, and protobuf's JSON form allows a string.
func jsonWeight(raw json.RawMessage) (int64, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return 0, nil
	}
	w, err := strconv.ParseUint(strings.Trim(string(raw), `"`), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("weight %.40q is not an unsigned 32-bit integer", raw)
	}
	return int64(w), nil
}

// configPath reads namespace and name of /apis/networking.istio.io/v1/namespaces/NS/virtual-service/NAME; the API version
// does not count.
func configPath(metadata json.RawMessage) (ns, name string) {
	var istio struct {
		Config string `json:"config"`
	}
	if json.Unmarshal(metadata, &istio) != nil {
		return "", ""
	}
	parts := strings.Split(istio.Config, "/")
	if len(parts) != 8 || parts[1] != "apis" || parts[2] != "networking.istio.io" || parts[4] != "namespaces" || parts[6] != "virtual-service" {
		return "", ""
	}
	return parts[5], parts[7]
}

// cluster splits outbound|port|subset|fqdn; ok is false for clusters of other makes.
func splitCluster(name string) (port int, subset, fqdn string, ok bool) {
	parts := strings.Split(name, "|")
	if len(parts) != 4 || parts[0] != "outbound" {
		return 0, "", "", false
	}
	port, err := strconv.Atoi(parts[1])
	return port, parts[2], strings.ToLower(parts[3]), err == nil
}
