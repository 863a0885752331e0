package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Client writes objects of any kind.
type Client struct {
	dynamic dynamic.Interface
	plurals map[string]string // by kind, for kinds with a definition
}

// NewClient returns a client without rate limits: it talks to an API server that nobody else uses.
func NewClient(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	return &Client{dynamic: client, plurals: map[string]string{}}, err
}

// Define creates custom resource definitions and remembers how their kinds are called in the plural.
func (c *Client) Define(ctx context.Context, definitions ...*unstructured.Unstructured) error {
	for _, d := range definitions {
		kind, _, _ := unstructured.NestedString(d.Object, "spec", "names", "kind")
		c.plurals[kind], _, _ = unstructured.NestedString(d.Object, "spec", "names", "plural")
	}
	return c.Create(ctx, definitions...)
}

// Served returns nil once the API server serves the kinds of all objects: a definition takes a moment to have effect.
func (c *Client) Served(ctx context.Context, objects ...*unstructured.Unstructured) error {
	for _, o := range objects {
		if _, err := c.of(o).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
			return fmt.Errorf("listing %s: %w", o.GetKind(), err)
		}
	}
	return nil
}

// of is the resource of an object's kind. Where no definition says it, the plural is guessed by English rules, which hold
// for Kubernetes' own kinds; discovery would cost a round trip per API group at each start.
func (c *Client) of(o *unstructured.Unstructured) dynamic.ResourceInterface {
	resource, _ := meta.UnsafeGuessKindToResource(o.GroupVersionKind())
	if plural, ok := c.plurals[o.GetKind()]; ok {
		resource.Resource = plural
	}
	if o.GetNamespace() == "" {
		return c.dynamic.Resource(resource)
	}
	return c.dynamic.Resource(resource).Namespace(o.GetNamespace())
}

// Create creates objects side by side; those that exist are left alone.
func (c *Client) Create(ctx context.Context, objects ...*unstructured.Unstructured) error {
	var wait sync.WaitGroup
	faults := make([]error, len(objects))
	limit := make(chan struct{}, 8) // more at once only makes a small machine thrash
	for i, o := range objects {
		wait.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			_, err := c.of(o).Create(ctx, o, metav1.CreateOptions{FieldManager: manager(o)})
			if err != nil && !apierrors.IsAlreadyExists(err) {
				faults[i] = fmt.Errorf("creating %s %s: %w", o.GetKind(), o.GetName(), err)
			}
		})
	}
	wait.Wait()
	return errors.Join(faults...)
}

// manager is who an object's fields belong to. What a user would have applied is signed as kubectl would sign it.
func manager(o *unstructured.Unstructured) string {
	if _, applied := o.GetAnnotations()[lastApplied]; applied {
		return "kubectl-client-side-apply"
	}
	return "mesh-split-sandbox"
}

// Status merges status into the object's status, as the component that owns it would.
func (c *Client) Status(ctx context.Context, o *unstructured.Unstructured, status map[string]any) error {
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = c.of(o).Patch(ctx, o.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "kubelet"}, "status")
	if err != nil {
		return fmt.Errorf("writing the status of %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

// Get reads an object by the kind, namespace and name of o.
func (c *Client) Get(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return c.of(o).Get(ctx, o.GetName(), metav1.GetOptions{})
}

// Decode reads the documents of a YAML stream; empty ones are skipped.
func Decode(data []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		o := &unstructured.Unstructured{}
		switch err := decoder.Decode(&o.Object); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		}
		if len(o.Object) == 0 {
			continue
		}
		if o.GetKind() == "" || o.GetName() == "" {
			return nil, fmt.Errorf("document %d has no kind or no name", len(objects)+1)
		}
		objects = append(objects, o)
	}
}
