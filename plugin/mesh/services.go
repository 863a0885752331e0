package mesh

import (
	"context"
	"slices"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
)

// Toward makes the server of a scheme and, where there are several, of a port the one that load is sent to. It says whether there is
// one; else nothing changes.
func (g *Gateways) Toward(scheme string, port int) bool {
	at := -1
	for i, s := range g.servers {
		if !s.Raw && s.TLS == (scheme == "https") && (at < 0 || int(s.Port) == port) {
			at = i
		}
	}
	if at < 0 {
		return false
	}
	g.Server = g.servers[at]
	g.rankServices()
	return true
}

// findServices finds the Services whose selector fits the gateway pods. One that opens the server's port comes first.
func (c *Client) findServices(ctx context.Context, g *Gateways) error {
	namespaces := map[string]bool{}
	for _, p := range g.Pods {
		namespaces[p.Namespace] = true
	}
	all, everywhere := known[[]core.Service](c, allServices)
	for _, namespace := range keys(namespaces) {
		list, err := all, error(nil) // those of other namespaces fit no pod
		if !everywhere {
			list, err = c.listServices(ctx, namespace)
		}
		if apierrors.IsForbidden(err) {
			continue // an address can still be given by hand
		}
		if err != nil {
			return c.explain(ask{"list", "services", namespace, ""}, err)
		}
		for _, s := range list {
			selector := labels.SelectorFromSet(s.Spec.Selector)
			if len(s.Spec.Selector) > 0 && slices.ContainsFunc(g.Pods, func(p Pod) bool {
				return p.Namespace == namespace && p.Namespace == s.Namespace && selector.Matches(labels.Set(p.Labels))
			}) {
				g.services = append(g.services, s)
			}
		}
	}
	g.rankServices()
	if len(g.services) > 0 {
		g.Service = g.services[0].Namespace + "/" + g.services[0].Name
	}
	return nil
}

func (g *Gateways) rankServices() {
	slices.SortStableFunc(g.services, func(a, b core.Service) int { return rank(a, g.Server) - rank(b, g.Server) })
}

// rank orders Services: the port first, then what reaches further.
func rank(s core.Service, want Server) int {
	r := 2
	switch s.Spec.Type {
	case core.ServiceTypeLoadBalancer:
		r = 0
	case core.ServiceTypeNodePort:
		r = 1
	}
	if _, ok := servicePort(s, want); !ok {
		r += 10
	}
	return r
}

// servicePort is the Service's port that feeds a server: by number, and else, for HTTP, by the usual names.
func servicePort(s core.Service, want Server) (core.ServicePort, bool) {
	for _, p := range s.Spec.Ports {
		if uint32(p.Port) == want.Port {
			return p, true
		}
	}
	if want.Raw {
		return core.ServicePort{}, false // the usual names are those of HTTP
	}
	name := map[bool]string{false: "http2", true: "https"}[want.TLS]
	for _, p := range s.Spec.Ports {
		if p.Name == name {
			return p, true
		}
	}
	return core.ServicePort{}, false
}
