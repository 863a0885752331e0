package mesh

import (
	"cmp"
	"context"
	"slices"
	"sync"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// istioNamespace is where Istio's mesh config is, unless it was installed elsewhere: then its defaults are assumed.
const istioNamespace = "istio-system"

// Whole reads everything that decides which route governs a request: Gateways, VirtualServices, HTTPRoutes and GRPCRoutes of all
// namespaces, the gateway pods and the mesh config, beside what Surroundings reads. Without the Gateways and VirtualServices
// there is nothing to decide and the error says which right is missing; the rest is named in unread.
func (c *Client) Whole(ctx context.Context) (m *route.Mesh, unread []string, err error) {
	if m, unread, err = c.Surroundings(ctx); err != nil {
		return nil, nil, err
	}
	reads := c.rules(ctx, m, metav1.NamespaceAll)
	fill(m, reads)
	for _, r := range reads {
		switch {
		case r.err == nil:
		case apierrors.IsNotFound(r.err) && !r.needed: // no Gateway API here
		case apierrors.IsForbidden(r.err) && !r.needed:
			unread = append(unread, r.kind.qualified())
		default:
			return nil, nil, c.explain(ask{"list", r.kind.qualified(), "", ""}, r.err)
		}
	}
	c.namespaces(ctx, m)
	return m, unread, c.gatewayPods(ctx, m)
}

// namespaces reads the labels of namespaces, where the mesh config selects some of them.
func (c *Client) namespaces(ctx context.Context, m *route.Mesh) {
	if len(m.Istiod.Selectors) == 0 {
		return
	}
	list, err := c.kube.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return // then nothing is known to be hidden
	}
	m.Istiod.Namespaces = map[string]map[string]string{}
	for _, n := range list.Items {
		m.Istiod.Namespaces[n.Name] = n.Labels
	}
}

// Rules reads into m what Whole reads beside the surroundings, as far as the rights go: a kind that may not be listed in all
// namespaces is read in the Client's own. Unread names the kinds of which something may be missing.
func (c *Client) Rules(ctx context.Context, m *route.Mesh) (unread []string, err error) {
	all := c.rules(ctx, m, metav1.NamespaceAll)
	var own []reading
	for i := range all {
		r := &all[i]
		switch {
		case r.err == nil, apierrors.IsNotFound(r.err):
		case apierrors.IsForbidden(r.err):
			if unread = append(unread, r.kind.qualified()); own == nil {
				own = c.rules(ctx, m, c.Namespace)
			}
			r.got = own[i].got
		default:
			return nil, c.explain(ask{"list", r.kind.qualified(), "", ""}, r.err)
		}
	}
	fill(m, all)
	return unread, c.gatewayPods(ctx, m)
}

// reading is the list of one kind.
type reading struct {
	kind   Kind
	needed bool // without it nothing can be decided
	got    []route.Object
	err    error
}

// fill puts what was read, in the order of rules, into m.
func fill(m *route.Mesh, reads []reading) {
	m.Gateways, m.VirtualServices, m.GatewayAPIs = reads[0].got, reads[1].got, reads[2].got
	m.Routes = slices.Concat(reads[3].got, reads[4].got)
}

// rules lists the kinds that route requests, and the mesh config, in one wave of requests.
func (c *Client) rules(ctx context.Context, m *route.Mesh, namespace string) []reading {
	istio := func(resource string) Kind {
		return Kind{Group: VirtualService.Group, Resource: resource, Versions: VirtualService.Versions}
	}
	gateway := func(resource string) Kind {
		return Kind{Group: HTTPRoute.Group, Resource: resource, Versions: HTTPRoute.Versions}
	}
	reads := []reading{
		{kind: istio("gateways"), needed: true},
		{kind: istio("virtualservices"), needed: true},
		{kind: gateway("gateways")},
		{kind: gateway("httproutes")},
		{kind: gateway("grpcroutes")},
	}
	var group sync.WaitGroup
	for i := range reads {
		r := &reads[i]
		group.Go(func() { r.got, r.err = c.list(ctx, r.kind, namespace) })
	}
	if namespace == metav1.NamespaceAll { // a second look, into one namespace, knows these already
		group.Go(func() { c.meshConfig(ctx, m) })
		group.Go(func() { m.Scoped = scoped(c.istiods(ctx)) })
	}
	group.Wait()
	return reads
}

// list gives the objects of a kind in a namespace, or in all, in the newest version that the cluster serves.
func (c *Client) list(ctx context.Context, kind Kind, namespace string) (objects []route.Object, err error) {
	for _, version := range kind.Versions {
		gvr := schema.GroupVersionResource{Group: kind.Group, Version: version, Resource: kind.Resource}
		list, listErr := c.dynamic.Resource(gvr).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if apierrors.IsNotFound(listErr) {
			err = listErr
			continue
		}
		if listErr != nil {
			return nil, listErr
		}
		for i := range list.Items {
			objects = append(objects, list.Items[i].Object)
		}
		return objects, nil
	}
	return nil, err
}

// gatewayPods reads the pods that the Gateways select. Without the right every Gateway is taken to have its own.
func (c *Client) gatewayPods(ctx context.Context, m *route.Mesh) error {
	seen := map[string]bool{}
	for _, g := range m.Gateways {
		spec, _ := g["spec"].(map[string]any)
		raw, _ := spec["selector"].(map[string]any)
		set := labels.Set{}
		for k, v := range raw {
			set[k], _ = v.(string)
		}
		if len(set) == 0 || seen[set.String()] {
			continue
		}
		seen[set.String()] = true
		list, err := c.kube.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{LabelSelector: set.String()})
		if apierrors.IsForbidden(err) {
			return nil
		}
		if err != nil {
			return c.explain(ask{"list", "pods", "", ""}, err)
		}
		running := slices.DeleteFunc(list.Items, func(p core.Pod) bool { return p.DeletionTimestamp != nil })
		pods, err := plain(running)
		if err != nil {
			return err
		}
		m.Pods = append(m.Pods, pods...)
	}
	return nil
}

// meshConfig reads what the mesh's operator set for all. What is not there, or cannot be read, keeps Istio's defaults; the latter is said.
func (c *Client) meshConfig(ctx context.Context, m *route.Mesh) {
	config, err := c.kube.CoreV1().ConfigMaps(istioNamespace).Get(ctx, "istio", metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return
	case apierrors.IsForbidden(err):
		m.Assumed = "no right to get ConfigMap " + istioNamespace + "/istio"
		return
	case err != nil:
		m.Assumed = "ConfigMap " + istioNamespace + "/istio could not be read"
		return
	}
	var mesh struct {
		RootNamespace   string   `json:"rootNamespace"`
		DefaultExportTo []string `json:"defaultVirtualServiceExportTo"`
	}
	if yaml.Unmarshal([]byte(config.Data["mesh"]), &mesh) == nil {
		m.RootNamespace, m.DefaultExportTo = mesh.RootNamespace, mesh.DefaultExportTo
	}
	m.Istiod = route.Istiod{Config: istioNamespace + "/istio", Selectors: discoverySelectors(config.Data["mesh"])}
}

// Dump is what the first gateway pod that answers holds of routes: all of it, in Envoy's order.
func (c *Client) Dump(ctx context.Context, g *Gateways) (*route.Dump, error) {
	var first error
	for _, pod := range g.Ready() {
		e := newEnvoy(c, pod)
		data, _, err := e.dump(ctx, "")
		e.close()
		if err == nil {
			return route.ParseDump(data)
		}
		first = cmp.Or(first, err)
	}
	return nil, first
}
