package mesh

import (
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
	istio := func(resource string) Kind {
		return Kind{Group: VirtualService.Group, Resource: resource, Versions: VirtualService.Versions}
	}
	gateway := func(resource string) Kind {
		return Kind{Group: HTTPRoute.Group, Resource: resource, Versions: HTTPRoute.Versions}
	}
	var httpRoutes, grpcRoutes []route.Object
	reads := []struct {
		kind   Kind
		into   *[]route.Object
		needed bool
		err    error
	}{
		{istio("gateways"), &m.Gateways, true, nil},
		{istio("virtualservices"), &m.VirtualServices, true, nil},
		{gateway("gateways"), &m.GatewayAPIs, false, nil},
		{gateway("httproutes"), &httpRoutes, false, nil},
		{gateway("grpcroutes"), &grpcRoutes, false, nil},
	}
	var group sync.WaitGroup
	for i := range reads {
		r := &reads[i]
		group.Go(func() { *r.into, r.err = c.everywhere(ctx, r.kind) })
	}
	group.Go(func() { c.meshConfig(ctx, m) })
	group.Wait()
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
	m.Routes = slices.Concat(httpRoutes, grpcRoutes)
	return m, unread, c.gatewayPods(ctx, m)
}

// everywhere lists a kind in all namespaces, in the newest version that the cluster serves.
func (c *Client) everywhere(ctx context.Context, kind Kind) (objects []route.Object, err error) {
	for _, version := range kind.Versions {
		gvr := schema.GroupVersionResource{Group: kind.Group, Version: version, Resource: kind.Resource}
		list, listErr := c.dynamic.Resource(gvr).Namespace(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
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

// meshConfig reads what the mesh's operator set for all; what cannot be read keeps Istio's defaults.
func (c *Client) meshConfig(ctx context.Context, m *route.Mesh) {
	config, err := c.kube.CoreV1().ConfigMaps(istioNamespace).Get(ctx, "istio", metav1.GetOptions{})
	if err != nil {
		return
	}
	var mesh struct {
		RootNamespace   string   `json:"rootNamespace"`
		DefaultExportTo []string `json:"defaultVirtualServiceExportTo"`
	}
	if yaml.Unmarshal([]byte(config.Data["mesh"]), &mesh) == nil {
		m.RootNamespace, m.DefaultExportTo = mesh.RootNamespace, mesh.DefaultExportTo
	}
}
