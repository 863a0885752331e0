//go:build unix

package plugintest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// envoyDump is the part of an Envoy's dynamic route configurations that tests compare with. It is read here anew, so that a
// fault of the plugin's own reader does not pass by being on both sides.
type envoyDump struct {
	Configs []struct {
		Version string      `json:"version_info"`
		Updated string      `json:"last_updated"`
		Config  routeConfig `json:"route_config"`
	} `json:"configs"`
}

type routeConfig struct {
	Name  string `json:"name"`
	Hosts []struct {
		Name    string       `json:"name"`
		Domains []string     `json:"domains"`
		TLS     string       `json:"require_tls"`
		Routes  []envoyRoute `json:"routes"`
	} `json:"virtual_hosts"`
}

type envoyRoute struct {
	Name  string         `json:"name"`
	Match map[string]any `json:"match"`
	Route struct {
		Cluster  string `json:"cluster"`
		Weighted struct {
			Clusters []weightedCluster `json:"clusters"`
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

type weightedCluster struct {
	Name   string `json:"name"`
	Weight int64  `json:"weight"`
}

// source is the object that istiod made the route of, as namespace/name.
func (r envoyRoute) source() string {
	_, after, _ := strings.Cut(r.Metadata.Filter.Istio.Config, "/namespaces/")
	return strings.Replace(after, "/virtual-service/", "/", 1)
}

// weights are the weights by cluster; a plain cluster takes all.
func (r envoyRoute) weights() map[string]int64 {
	out := map[string]int64{}
	if r.Route.Cluster != "" {
		out[r.Route.Cluster] = 100
	}
	for _, c := range r.Route.Weighted.Clusters {
		out[c.Name] += c.Weight
	}
	return out
}

// dumpOf asks an Envoy's admin port; raw is the answer as it came.
func dumpOf(t testing.TB, admin string) (d envoyDump, raw []byte) {
	t.Helper()
	reply, err := http.Get(admin + "/config_dump?resource=dynamic_route_configs")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode == http.StatusNotFound {
		return d, nil // an Envoy without route configurations says so in words
	}
	if raw, err = io.ReadAll(reply.Body); err == nil {
		err = json.Unmarshal(raw, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d, raw
}

// routes are the routes of a domain, in Envoy's order.
func (d envoyDump) routes(config, domain string) []envoyRoute {
	for _, c := range d.Configs {
		if c.Config.Name != config {
			continue
		}
		for _, h := range c.Config.Hosts {
			for _, name := range h.Domains {
				if name == domain {
					return h.Routes
				}
			}
		}
	}
	return nil
}

// madeOf are the routes that were made of an object, in Envoy's order.
func (d envoyDump) madeOf(source string) (out []envoyRoute) {
	for _, c := range d.Configs {
		for _, h := range c.Config.Hosts {
			for _, r := range h.Routes {
				if r.source() == source {
					out = append(out, r)
				}
			}
		}
	}
	return out
}
