package mesh

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// gatewayAPI are the Gateways of the Gateway API, which share nothing but their name with Istio's.
var gatewayAPI = Kind{Name: "Gateway", Group: HTTPRoute.Group, Resource: "gateways", Versions: HTTPRoute.Versions}

// listeners reads the Gateways that an HTTPRoute or GRPCRoute names, and gives their listeners for its hosts.
func (c *Client) listeners(ctx context.Context, o Object, g *Gateways) ([]Server, error) {
	parents := route.Parents(o.Object)
	if len(parents) == 0 {
		return nil, fault.New(fault.Refused, "sidecars apply it, and no gateway: verify it from a pod with mesh-verify",
			"%s is attached to no Gateway", o).Named("E_MESH_ONLY")
	}
	gvr, err := c.served(ctx, gatewayAPI)
	if err != nil {
		return nil, err
	}
	var servers []Server
	for _, p := range parents {
		name := p.Namespace + "/" + p.Name
		gateway, err := c.dynamic.Resource(gvr).Namespace(p.Namespace).Get(ctx, p.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, fault.New(fault.Refused, "kubectl get gateways.gateway.networking.k8s.io -A lists them",
				"gateway %s, which spec.parentRefs names, not found", name).Named("E_NO_LISTENER")
		}
		if err != nil {
			return nil, c.explain(ask{"get", gatewayAPI.qualified(), p.Namespace, p.Name}, err)
		}
		g.Names = append(g.Names, name)
		g.addresses = append(g.addresses, statusAddresses(gateway)...)
		selectors, err := c.selectorsOf(ctx, gateway)
		if err != nil {
			return nil, err
		}
		g.selectors = append(g.selectors, selectors...)
		for _, l := range route.Openings(gateway.Object, o.Object) {
			servers = append(servers, Server{Port: uint32(l.Port), TLS: l.TLS, Hosts: []string{l.Host}})
		}
	}
	if len(servers) == 0 {
		return nil, fault.New(fault.Refused, "compare hostname and allowedRoutes of the listeners with hostnames and namespace of the route",
			"no HTTP listener of %s takes %s", strings.Join(g.Names, ", "), o).Named("E_HOST_NOT_SERVED")
	}
	return servers, nil
}

// selectorsOf says which pods serve a Gateway: those that istiod deployed for it, or those behind the Services it names.
func (c *Client) selectorsOf(ctx context.Context, gateway *unstructured.Unstructured) ([]selector, error) {
	namespace := gateway.GetNamespace()
	services := route.ServicesOf(gateway.Object)
	if len(services) == 0 {
		return []selector{{namespace, map[string]string{route.NameLabel: gateway.GetName()}}}, nil
	}
	var out []selector
	for _, name := range services {
		s, err := c.kube.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, fault.New(fault.Refused, "look at spec.addresses of the Gateway",
				"gateway %s/%s: its Service %s/%s not found", namespace, gateway.GetName(), namespace, name).Named("E_NO_LISTENER")
		}
		if err != nil {
			return nil, c.explain(ask{"get", "services", namespace, name}, err)
		}
		if len(s.Spec.Selector) > 0 { // without one it selects nothing; as labels it would be every pod
			out = append(out, selector{namespace, s.Spec.Selector})
		}
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Refused, "look at spec.addresses of the Gateway",
			"gateway %s/%s: the Services it names select no pods", namespace, gateway.GetName()).Named("E_NO_LISTENER")
	}
	return out, nil
}

func statusAddresses(gateway *unstructured.Unstructured) []string {
	var out []string
	list, _, _ := unstructured.NestedSlice(gateway.Object, "status", "addresses")
	for _, a := range list {
		address, _ := a.(map[string]any)
		if value, _ := address["value"].(string); value != "" {
			out = append(out, value)
		}
	}
	return out
}
