//go:build unix

package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// EnvoyWeights reads what gateway i's Envoy really has: the weight of each destination host in the routes that were made of
// the VirtualService. A single destination counts 100, as Istio then names no weight. Without such routes it is empty.
func (s *Sandbox) EnvoyWeights(ctx context.Context, i int, namespace, name string) (map[string]int64, error) {
	gateways := s.Gateways()
	if i < 0 || i >= len(gateways) {
		return nil, fmt.Errorf("no gateway %d; there are %d", i, len(gateways))
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, gateways[i].AdminURL+"/config_dump?resource=dynamic_route_configs", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var dump routeDump
	if err := json.NewDecoder(response.Body).Decode(&dump); err != nil {
		return nil, fmt.Errorf("reading the routes of %s: %w", gateways[i].Pod, err)
	}
	return dump.weights("/namespaces/" + namespace + "/virtual-service/" + name), nil
}

// routeDump is the part of Envoy's config dump that carries weights.
type routeDump struct {
	Configs []struct {
		Config struct {
			Hosts []struct {
				Routes []struct {
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
				} `json:"routes"`
			} `json:"virtual_hosts"`
		} `json:"route_config"`
	} `json:"configs"`
}

// weights collects the routes whose metadata end in object. Several routes of one object overwrite each other: the
// sandbox's own objects have one.
func (d routeDump) weights(object string) map[string]int64 {
	byHost := map[string]int64{}
	for _, config := range d.Configs {
		for _, host := range config.Config.Hosts {
			for _, route := range host.Routes {
				if !strings.HasSuffix(route.Metadata.Filter.Istio.Config, object) {
					continue
				}
				if cluster := route.Route.Cluster; cluster != "" {
					byHost[hostOf(cluster)] = 100
				}
				for _, c := range route.Route.Weighted.Clusters {
					byHost[hostOf(c.Name)] = c.Weight
				}
			}
		}
	}
	return byHost
}

// hostOf is the last part of outbound|PORT|SUBSET|HOST.
func hostOf(cluster string) string { return cluster[strings.LastIndexByte(cluster, '|')+1:] }
