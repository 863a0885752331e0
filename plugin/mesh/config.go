package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Surroundings reads what gives destinations their names besides the object itself: DestinationRules, ServiceEntries and
// Services of all namespaces. What may not be read is left out and said in unread: names that need it are then not
// understood, and nothing else changes.
func (c *Client) Surroundings(ctx context.Context) (m *route.Mesh, unread []string, err error) {
	m = &route.Mesh{}
	type lister = func(context.Context) ([]route.Object, error)
	ahead := func(key string, list lister) lister {
		return func(ctx context.Context) ([]route.Object, error) {
			return early(c, key, func() ([]route.Object, error) { return list(ctx) })
		}
	}
	kinds := []struct {
		resource string
		list     lister
		into     *[]route.Object
	}{
		{"destinationrules.networking.istio.io", ahead("destinationrules", c.destinationRules), &m.DestinationRules},
		{"serviceentries.networking.istio.io", ahead("serviceentries", c.serviceEntries), &m.ServiceEntries},
		{"services", c.services, &m.Services},
	}
	faults := make([]error, len(kinds))
	var group sync.WaitGroup
	for i, kind := range kinds {
		group.Go(func() { *kind.into, faults[i] = kind.list(ctx) })
	}
	group.Wait()
	for i, kind := range kinds {
		switch err := faults[i]; {
		case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
			unread = append(unread, kind.resource)
		case err != nil:
			return nil, nil, c.explain(ask{"list", kind.resource, "", ""}, err)
		}
	}
	return m, unread, nil
}

// The lists of Istio's objects. All versions of them share one schema; v1 is asked for, and an API server that does not
// serve it is asked for the one before.

func (c *Client) destinationRules(ctx context.Context) ([]route.Object, error) {
	list, err := c.istio.NetworkingV1().DestinationRules(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err == nil {
		return decoded(list.Items)
	}
	if old, err := c.istio.NetworkingV1beta1().DestinationRules(metav1.NamespaceAll).List(ctx, metav1.ListOptions{}); err == nil {
		return decoded(old.Items)
	}
	return nil, err
}

func (c *Client) serviceEntries(ctx context.Context) ([]route.Object, error) {
	list, err := c.istio.NetworkingV1().ServiceEntries(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err == nil {
		return decoded(list.Items)
	}
	if old, err := c.istio.NetworkingV1beta1().ServiceEntries(metav1.NamespaceAll).List(ctx, metav1.ListOptions{}); err == nil {
		return decoded(old.Items)
	}
	return nil, err
}

func (c *Client) services(ctx context.Context) ([]route.Object, error) {
	list, err := early(c, allServices, func() ([]core.Service, error) { return c.listServices(ctx, metav1.NamespaceAll) })
	if err != nil {
		return nil, err
	}
	return plain(list)
}

func (c *Client) listServices(ctx context.Context, namespace string) ([]core.Service, error) {
	list, err := c.kube.CoreV1().Services(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// decoded turns typed objects into the plain form that plugin/route reads, by way of their own JSON: Istio's types hold
// protocol buffers, which only their own marshaller writes right.
func decoded[T any](items []T) ([]route.Object, error) {
	objects := make([]route.Object, len(items))
	for i := range items {
		data, err := json.Marshal(items[i])
		if err != nil {
			return nil, fmt.Errorf("reading an object of Istio: %w", err)
		}
		if err := json.Unmarshal(data, &objects[i]); err != nil {
			return nil, fmt.Errorf("reading an object of Istio: %w", err)
		}
	}
	return objects, nil
}
