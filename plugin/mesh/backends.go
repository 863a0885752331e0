package mesh

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Backends reads who answers for the destinations of an entry into m: EndpointSlices of their Services, and the pods behind
// those where a subset has to tell them apart. What may not be read stays nil, and is named in unread.
func (c *Client) Backends(ctx context.Context, m *route.Mesh, e route.Entry) (unread []string, err error) {
	var (
		mutex           sync.Mutex // guards slices, pods, faults
		endpoints, pods = []route.Object{}, []route.Object{}
		faults          = map[string]error{} // the first of each resource
		group           sync.WaitGroup
	)
	read := func(resource string, into *[]route.Object, list func() ([]route.Object, error)) {
		group.Go(func() {
			got, err := list()
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil && faults[resource] == nil {
				faults[resource] = err
			}
			*into = append(*into, got...)
		})
	}
	for s, split := range servicesOf(e) {
		read("endpointslices.discovery.k8s.io", &endpoints, func() ([]route.Object, error) {
			return early(c, "endpointslices "+s.String(), func() ([]route.Object, error) { return c.endpointSlices(ctx, s) })
		})
		if chosen := selectorOf(m, s); split && len(chosen) > 0 {
			read("pods", &pods, func() ([]route.Object, error) {
				list, err := c.podsOf(ctx, selector{s.namespace, chosen})
				if err != nil {
					return nil, err
				}
				return plain(list)
			})
		}
	}
	group.Wait()
	m.EndpointSlices, m.Workloads = endpoints, pods
	for resource, err := range faults {
		if !apierrors.IsForbidden(err) {
			return nil, c.explain(ask{"list", resource, "", ""}, err)
		}
		unread = append(unread, resource)
		if resource == "pods" {
			m.Workloads = nil
		} else {
			m.EndpointSlices = nil
		}
	}
	slices.Sort(unread)
	return unread, nil
}

// service names a Service.
type service struct{ namespace, name string }

func (s service) String() string { return s.namespace + "/" + s.name }

// servicesOf are the Services of destinations, and whether a subset splits them.
func servicesOf(entries ...route.Entry) map[service]bool {
	split := map[service]bool{}
	for _, e := range entries {
		for _, d := range e.Destinations {
			if d.Service != "" {
				s := service{d.Namespace, d.Service}
				split[s] = split[s] || d.Subset != ""
			}
		}
	}
	return split
}

func (c *Client) endpointSlices(ctx context.Context, s service) ([]route.Object, error) {
	list, err := c.kube.DiscoveryV1().EndpointSlices(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + s.name})
	if err != nil {
		return nil, err
	}
	return plain(list.Items)
}

// selectorOf is what a Service that was read selects.
func selectorOf(m *route.Mesh, s service) map[string]string {
	for _, o := range m.Services {
		metadata, _ := o["metadata"].(map[string]any)
		spec, _ := o["spec"].(map[string]any)
		selector, _ := spec["selector"].(map[string]any)
		if metadata["namespace"] == s.namespace && metadata["name"] == s.name {
			out := map[string]string{}
			for k, v := range selector {
				out[k], _ = v.(string)
			}
			return out
		}
	}
	return nil
}

// plain turns Kubernetes' own objects into the form that plugin/route reads.
func plain[T any](items []T) ([]route.Object, error) {
	objects := make([]route.Object, len(items))
	for i := range items {
		var err error
		if objects[i], err = runtime.DefaultUnstructuredConverter.ToUnstructured(&items[i]); err != nil {
			return nil, fmt.Errorf("reading an object: %w", err)
		}
	}
	return objects, nil
}

// The kinds that say they own a route, in the versions that their projects serve.
var (
	rollouts       = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "rollouts"}
	applications   = schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"}
	canaries       = schema.GroupVersionResource{Group: "flagger.app", Version: "v1beta1", Resource: "canaries"}
	kustomizations = schema.GroupVersionResource{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"}
	helmReleases   = schema.GroupVersionResource{Group: "helm.toolkit.fluxcd.io", Version: "v2", Resource: "helmreleases"}
)

// Related reads the objects of other programs that may say they own o. Rollouts and Canaries name routes from outside and are
// always looked for; the others leave marks on the object, and only the ones named there are worth a request. A kind that
// the cluster does not serve, or that may not be read, is left out: then the marks on the object decide alone.
func (c *Client) Related(ctx context.Context, o Object) route.Related {
	var r route.Related
	var group sync.WaitGroup
	read := func(k mark) {
		into := map[schema.GroupVersionResource]*[]route.Object{rollouts: &r.Rollouts, canaries: &r.Canaries, applications: &r.Applications,
			kustomizations: &r.Kustomizations, helmReleases: &r.HelmReleases}[k.resource]
		group.Go(func() {
			got, err := early(c, k.String(), func() ([]route.Object, error) { return c.listMarked(ctx, k) })
			if apierrors.IsForbidden(err) && k.namespace == metav1.NamespaceAll {
				got, err = c.listMarked(ctx, mark{k.resource, o.GetNamespace()})
			}
			if err == nil {
				*into = got
			}
		})
	}
	read(mark{rollouts, metav1.NamespaceAll})
	read(mark{canaries, o.GetNamespace()})
	for _, k := range marksOn(o) {
		read(k)
	}
	group.Wait()
	return r
}

// mark leads to objects of another program: a kind, in one namespace or all.
type mark struct {
	resource  schema.GroupVersionResource
	namespace string
}

func (k mark) String() string { return "owners " + k.resource.String() + " " + k.namespace }

// marksOn are the marks that other programs left on an object.
func marksOn(o Object) (found []mark) {
	labels := o.GetLabels()
	if o.GetAnnotations()["argocd.argoproj.io/tracking-id"] != "" || labels["app.kubernetes.io/instance"] != "" {
		found = append(found, mark{applications, metav1.NamespaceAll})
	}
	if labels["kustomize.toolkit.fluxcd.io/name"] != "" {
		found = append(found, mark{kustomizations, labels["kustomize.toolkit.fluxcd.io/namespace"]})
	}
	if labels["helm.toolkit.fluxcd.io/name"] != "" {
		found = append(found, mark{helmReleases, labels["helm.toolkit.fluxcd.io/namespace"]})
	}
	return found
}

func (c *Client) listMarked(ctx context.Context, k mark) ([]route.Object, error) {
	list, err := c.dynamic.Resource(k.resource).Namespace(k.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	objects := make([]route.Object, len(list.Items))
	for i := range list.Items {
		objects[i] = list.Items[i].Object
	}
	return objects, nil
}
