package mesh

import (
	"context"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Backends reads who answers for the destinations of an entry into m: EndpointSlices of their Services, and the pods behind
// those where a subset has to tell them apart. What may not be read stays nil, and is named in unread.
func (c *Client) Backends(ctx context.Context, m *route.Mesh, e route.Entry) (unread []string, err error) {
	type service struct{ namespace, name string }
	subset := map[service]bool{} // Services, and whether a subset splits them
	for _, d := range e.Destinations {
		if d.Service != "" {
			s := service{d.Namespace, d.Service}
			subset[s] = subset[s] || d.Subset != ""
		}
	}
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
	for s, split := range subset {
		read("endpointslices.discovery.k8s.io", &endpoints, func() ([]route.Object, error) {
			list, err := c.kube.DiscoveryV1().EndpointSlices(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + s.name})
			if err != nil {
				return nil, err
			}
			return plain(list.Items)
		})
		if selector := selectorOf(m, s.namespace, s.name); split && len(selector) > 0 {
			read("pods", &pods, func() ([]route.Object, error) {
				list, err := c.kube.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: labels.SelectorFromSet(selector).String()})
				if err != nil {
					return nil, err
				}
				return plain(list.Items)
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

// selectorOf is what a Service that was read selects.
func selectorOf(m *route.Mesh, namespace, name string) map[string]string {
	for _, s := range m.Services {
		metadata, _ := s["metadata"].(map[string]any)
		spec, _ := s["spec"].(map[string]any)
		selector, _ := spec["selector"].(map[string]any)
		if metadata["namespace"] == namespace && metadata["name"] == name {
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
	list := func(what schema.GroupVersionResource, namespace string, into *[]route.Object) {
		group.Go(func() {
			got, err := c.dynamic.Resource(what).Namespace(namespace).List(ctx, metav1.ListOptions{})
			if apierrors.IsForbidden(err) && namespace == metav1.NamespaceAll {
				got, err = c.dynamic.Resource(what).Namespace(o.GetNamespace()).List(ctx, metav1.ListOptions{})
			}
			if err != nil {
				return
			}
			for i := range got.Items {
				*into = append(*into, got.Items[i].Object)
			}
		})
	}
	list(rollouts, metav1.NamespaceAll, &r.Rollouts)
	list(canaries, o.GetNamespace(), &r.Canaries)
	marks := o.GetLabels()
	if o.GetAnnotations()["argocd.argoproj.io/tracking-id"] != "" || marks["app.kubernetes.io/instance"] != "" {
		list(applications, metav1.NamespaceAll, &r.Applications)
	}
	if name := marks["kustomize.toolkit.fluxcd.io/name"]; name != "" {
		list(kustomizations, marks["kustomize.toolkit.fluxcd.io/namespace"], &r.Kustomizations)
	}
	if name := marks["helm.toolkit.fluxcd.io/name"]; name != "" {
		list(helmReleases, marks["helm.toolkit.fluxcd.io/namespace"], &r.HelmReleases)
	}
	group.Wait()
	return r
}
