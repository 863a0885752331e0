//go:build unix

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Routes is the part of an Envoy's dynamic route configurations that tests compare with. It is read here anew, so that a fault of
// the plugin's own reader does not pass by being on both sides.
type Routes struct {
	Configs []struct {
		Version string `json:"version_info"`
		Updated string `json:"last_updated"`
		Config  struct {
			Name  string `json:"name"`
			Hosts []struct {
				Name    string   `json:"name"`
				Domains []string `json:"domains"`
				TLS     string   `json:"require_tls"`
				Routes  []Route  `json:"routes"`
			} `json:"virtual_hosts"`
		} `json:"route_config"`
	} `json:"configs"`
}

// Route is one route of an Envoy, with what istiod says of its origin.
type Route struct {
	Name  string         `json:"name"`
	Match map[string]any `json:"match"`
	Route struct {
		Cluster  string `json:"cluster"`
		Weighted struct {
			Clusters []struct {
				Name   string `json:"name"`
				Weight int64  `json:"weight"`
			} `json:"clusters"`
		} `json:"weighted_clusters"`
	} `json:"route"`
	Metadata struct {
		Filter struct {
			Istio struct {
				Config string `json:"config"`
			} `json:"istio"`
		} `json:"filter_metadata"`
	} `json:"metadata"`
}

// ReadRoutes asks an Envoy's admin port; raw is the answer as it came. An Envoy that has no route configuration yet is no error, and
// has no answer.
func ReadRoutes(ctx context.Context, admin string) (routes Routes, raw []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, admin+"/config_dump?resource=dynamic_route_configs", nil)
	if err != nil {
		return routes, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return routes, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotFound { // that is how it says so
		return routes, nil, nil
	}
	if raw, err = io.ReadAll(response.Body); err == nil {
		err = json.Unmarshal(raw, &routes)
	}
	if err != nil {
		return routes, nil, fmt.Errorf("reading the routes of %s: %w", admin, err)
	}
	return routes, raw, nil
}

// MadeOf are the routes that were made of a VirtualService, named as namespace/name, in Envoy's order.
func (r Routes) MadeOf(source string) (made []Route) {
	for _, c := range r.Configs {
		for _, h := range c.Config.Hosts {
			for _, route := range h.Routes {
				if route.Source() == source {
					made = append(made, route)
				}
			}
		}
	}
	return made
}

// Of are the routes of a domain in a route configuration, in Envoy's order.
func (r Routes) Of(config, domain string) []Route {
	for _, c := range r.Configs {
		if c.Config.Name != config {
			continue
		}
		for _, h := range c.Config.Hosts {
			if slices.Contains(h.Domains, domain) {
				return h.Routes
			}
		}
	}
	return nil
}

// Source is the VirtualService that istiod made the route of, as namespace/name.
func (r Route) Source() string {
	_, after, _ := strings.Cut(r.Metadata.Filter.Istio.Config, "/namespaces/")
	return strings.Replace(after, "/virtual-service/", "/", 1)
}

// Weights are the weights by cluster. A single cluster counts 100, as Istio then names no weight.
func (r Route) Weights() map[string]int64 {
	weights := map[string]int64{}
	if r.Route.Cluster != "" {
		weights[r.Route.Cluster] = 100
	}
	for _, c := range r.Route.Weighted.Clusters {
		weights[c.Name] += c.Weight
	}
	return weights
}

// EnvoyWeights reads what gateway i's Envoy really has: the weight of each destination host in the route that was made of the
// VirtualService; of several routes the last one counts. Without such routes it is empty.
func (s *Sandbox) EnvoyWeights(ctx context.Context, i int, namespace, name string) (map[string]int64, error) {
	gateways := s.Gateways()
	if i < 0 || i >= len(gateways) {
		return nil, fmt.Errorf("no gateway %d; there are %d", i, len(gateways))
	}
	routes, _, err := ReadRoutes(ctx, gateways[i].AdminURL)
	if err != nil {
		return nil, err
	}
	byHost := map[string]int64{}
	for _, route := range routes.MadeOf(namespace + "/" + name) {
		for cluster, weight := range route.Weights() {
			byHost[hostOf(cluster)] = weight
		}
	}
	return byHost, nil
}

// hostOf is the last part of outbound|PORT|SUBSET|HOST.
func hostOf(cluster string) string { return cluster[strings.LastIndexByte(cluster, '|')+1:] }
