package mesh

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
)

// routeConfigs is a regular expression for the names of the route configurations that hold the gateways' routes, or "" where
// that is not known: http.PORT, with the pods' port, and https.PORT.NAME.GATEWAY.NAMESPACE, with the server's. Both may end in
// the address of a bind. An Envoy that does not know name_regex gives all.
func (g *Gateways) routeConfigs() string {
	var names []string
	for _, s := range g.servers {
		ports := []int{int(s.Port)}
		for _, service := range g.services {
			p, ok := servicePort(service, s)
			switch {
			case !ok:
			case p.TargetPort.Type == intstr.String: // its number is in the pods
				return ""
			case p.TargetPort.IntValue() > 0:
				ports = append(ports, p.TargetPort.IntValue())
			}
		}
		scheme := map[bool]string{false: "http", true: "https"}[s.TLS]
		for _, port := range ports {
			names = append(names, fmt.Sprintf(`%s\.%d(\..*)?`, scheme, port))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return "^(" + strings.Join(slices.Compact(names), "|") + ")$"
}
