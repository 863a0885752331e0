package mesh

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
)

// observeEvery is how often an object is read that may not be watched.
const observeEvery = time.Second

// Observe calls saw with every later state of an object until ctx ends, from one goroutine: the caller's. Without the right to
// watch, or after the API server ended the watch, the object is read again each second; states in between are missed then.
// An object that is deleted is seen no more.
func (c *Client) Observe(ctx context.Context, o Object, saw func(Object)) {
	gvr := o.GroupVersionKind().GroupVersion().WithResource(o.Kind.Resource)
	client := c.dynamic.Resource(gvr).Namespace(o.GetNamespace())
	version := o.GetResourceVersion()
	for ctx.Err() == nil {
		w, err := client.Watch(ctx, metav1.ListOptions{
			FieldSelector:   fields.OneTermEqualSelector("metadata.name", o.GetName()).String(),
			ResourceVersion: version,
		})
		if err == nil {
			for event := range w.ResultChan() {
				got, ok := event.Object.(*unstructured.Unstructured)
				if ok && (event.Type == watch.Modified || event.Type == watch.Added) {
					version = got.GetResourceVersion()
					saw(Object{o.Kind, got})
				}
			}
			w.Stop()
		}
		if !sleep(ctx, observeEvery) {
			return
		}
		if now, err := client.Get(ctx, o.GetName(), metav1.GetOptions{}); err == nil {
			version = now.GetResourceVersion()
			saw(Object{o.Kind, now})
		}
	}
}
