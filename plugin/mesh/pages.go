package mesh

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
)

// pageSize is how many objects are asked for at once, as kubectl does (--chunk-size): neither the API server nor we hold ten
// thousand objects at a time.
const pageSize = 500

// Query says which objects are meant.
type Query struct {
	Kind     Kind
	All      bool   // of all namespaces, not of the Client's alone
	Selector string // of labels; "" is every object
	Name     string // the one object of this name; "" is every object
}

func (q Query) options() metav1.ListOptions {
	o := metav1.ListOptions{LabelSelector: q.Selector}
	if q.Name != "" {
		o.FieldSelector = fields.OneTermEqualSelector("metadata.name", q.Name).String()
	}
	return o
}

func (c *Client) namespaceOf(q Query) string {
	if q.All {
		return metav1.NamespaceAll
	}
	return c.Namespace
}

// Pages calls page with the objects of a query, in the API server's order and at most pageSize at once. It stops at the first
// error, page's own included. From is where Follow takes up what changes after.
func (c *Client) Pages(ctx context.Context, q Query, page func([]Object) error) (from string, err error) {
	gvr, err := c.served(ctx, q.Kind)
	if err != nil {
		return "", err
	}
	options := q.options()
	options.Limit = pageSize
	for {
		list, err := c.dynamic.Resource(gvr).Namespace(c.namespaceOf(q)).List(ctx, options)
		if next := restOf(err); next != "" {
			options.Continue = next
			continue
		}
		if err != nil {
			return "", c.explain(ask{"list", q.Kind.qualified(), c.namespaceOf(q), ""}, err)
		}
		if from == "" {
			from = list.GetResourceVersion()
		}
		objects := make([]Object, len(list.Items))
		for i := range list.Items {
			objects[i] = Object{q.Kind, &list.Items[i]}
		}
		if err := page(objects); err != nil {
			return "", err
		}
		if options.Continue = list.GetContinue(); options.Continue == "" {
			return from, nil
		}
	}
}

// restOf is the token that goes on where a list took so long that its state is history: the objects behind the last one
// shown, as they are now. https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
func restOf(err error) string {
	var status apierrors.APIStatus
	if !apierrors.IsResourceExpired(err) || !errors.As(err, &status) {
		return ""
	}
	return status.Status().Continue
}

// Change is an object as it has become.
type Change struct {
	Object
	Deleted bool // and what it was last
}

// Follow calls saw with every change of the objects of a query after from, which Pages gave, until ctx ends, then nil. A watch
// that the API server ends is taken up where it was. ErrHistory says that this is no longer possible: list again.
func (c *Client) Follow(ctx context.Context, q Query, from string, saw func(Change) error) error {
	gvr, err := c.served(ctx, q.Kind)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		options := q.options()
		options.ResourceVersion, options.AllowWatchBookmarks = from, true
		w, err := c.dynamic.Resource(gvr).Namespace(c.namespaceOf(q)).Watch(ctx, options)
		switch {
		case ctx.Err() != nil:
			return nil
		case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
			return ErrHistory
		case err != nil:
			return c.explain(ask{"watch", q.Kind.qualified(), c.namespaceOf(q), ""}, err)
		}
		from, err = drain(w, q.Kind, from, saw)
		w.Stop()
		if err != nil {
			return err
		}
		sleep(ctx, watchAgain)
	}
	return nil
}

// ErrHistory is a watch that was away for longer than the API server remembers.
var ErrHistory = errors.New("the API server no longer knows what changed meanwhile")

// watchAgain is the pause before a watch that ended is begun anew: a server that ends each at once is not stormed.
const watchAgain = 200 * time.Millisecond

// drain reads a watch until it ends and gives the version it came to.
func drain(w watch.Interface, kind Kind, from string, saw func(Change) error) (string, error) {
	for event := range w.ResultChan() {
		if event.Type == watch.Error {
			if err := apierrors.FromObject(event.Object); !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
				return from, err
			}
			return from, ErrHistory
		}
		got, ok := event.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		from = got.GetResourceVersion()
		if event.Type == watch.Bookmark {
			continue
		}
		if err := saw(Change{Object{kind, got}, event.Type == watch.Deleted}); err != nil {
			return from, err
		}
	}
	return from, nil
}
