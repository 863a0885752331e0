//go:build unix

package plugintest

import (
	"context"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

type object = map[string]any

// resources are the kinds that tests write themselves, past kubectl.
var resources = map[string]schema.GroupVersionResource{
	"VirtualService":                 {Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	"Gateway":                        {Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
	"DestinationRule":                {Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"},
	"ServiceEntry":                   {Group: "networking.istio.io", Version: "v1", Resource: "serviceentries"},
	"ConfigMap":                      {Version: "v1", Resource: "configmaps"},
	"HTTPRoute":                      {Group: "gateway.networking.k8s.io", Version: "v1", Resource: "httproutes"},
	"MutatingWebhookConfiguration":   {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"},
	"Namespace":                      {Version: "v1", Resource: "namespaces"},
	"Node":                           {Version: "v1", Resource: "nodes"},
	"Pod":                            {Version: "v1", Resource: "pods"},
	"Service":                        {Version: "v1", Resource: "services"},
	"EndpointSlice":                  {Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
	"Rollout":                        {Group: "argoproj.io", Version: "v1alpha1", Resource: "rollouts"},
	"Application":                    {Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"},
	"CustomResourceDefinition":       {Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"},
	"ValidatingWebhookConfiguration": {Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"},
}

// world writes objects for one test. Each method fails the test on an error.
type world struct {
	testing.TB
	client dynamic.Interface
}

func newWorld(t testing.TB) world {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", shared.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return world{t, client}
}

func (c world) of(kind, namespace string) dynamic.ResourceInterface {
	resource, ok := resources[kind]
	if !ok {
		c.Fatalf("kind %s is not known here", kind)
	}
	if namespace == "" {
		return c.client.Resource(resource)
	}
	return c.client.Resource(resource).Namespace(namespace)
}

func read(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	var o unstructured.Unstructured
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = o.UnmarshalJSON(data)
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return &o
}

// create creates an object, whatever stood there before, and removes it at the end of the test.
func (c world) create(o *unstructured.Unstructured) *unstructured.Unstructured {
	c.Helper()
	c.remove(o)
	c.Cleanup(func() { c.remove(o) })
	return c.put(o)
}

// put creates an object; one that is there already is left alone.
func (c world) put(o *unstructured.Unstructured) *unstructured.Unstructured {
	c.Helper()
	made, err := c.of(o.GetKind(), o.GetNamespace()).Create(context.Background(), o, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		c.Fatalf("creating %s %s: %v", o.GetKind(), o.GetName(), err)
	}
	return made
}

func (c world) remove(o *unstructured.Unstructured) {
	c.Helper()
	now := int64(0)
	err := c.of(o.GetKind(), o.GetNamespace()).Delete(context.Background(), o.GetName(), metav1.DeleteOptions{GracePeriodSeconds: &now})
	if err != nil && !apierrors.IsNotFound(err) {
		c.Errorf("deleting %s %s: %v", o.GetKind(), o.GetName(), err)
	}
}

// aside takes an object away; back puts it there again, once.
func (c world) aside(o *unstructured.Unstructured) (back func()) {
	c.Helper()
	was := c.get(o.GetKind(), o.GetNamespace(), o.GetName())
	for _, field := range []string{"resourceVersion", "uid", "managedFields", "creationTimestamp", "generation"} {
		unstructured.RemoveNestedField(was.Object, "metadata", field)
	}
	c.remove(o)
	if o.GetKind() == "ValidatingWebhookConfiguration" {
		time.Sleep(time.Second) // the API server takes a moment to hear of it
	}
	return sync.OnceFunc(func() {
		c.put(was)
		if o.GetKind() == "ValidatingWebhookConfiguration" {
			time.Sleep(time.Second)
		}
	})
}

// pastWebhook takes istiod's validation away, as a failure policy of Ignore does while istiod does not answer.
func (c world) pastWebhook() (back func()) {
	c.Helper()
	return c.aside(read(c, "{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: istio-validator-istio-system}}"))
}

func (c world) get(kind, namespace, name string) *unstructured.Unstructured {
	c.Helper()
	o, err := c.of(kind, namespace).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		c.Fatal(err)
	}
	return o
}

// merge patches an object as somebody else would, by a field manager's name.
func (c world) merge(kind, namespace, name, manager, patch string, subresources ...string) {
	c.Helper()
	data, err := yaml.YAMLToJSON([]byte(patch))
	if err == nil {
		_, err = c.of(kind, namespace).Patch(context.Background(), name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: manager}, subresources...)
	}
	if err != nil {
		c.Fatalf("patching %s %s: %v", kind, name, err)
	}
}

// patience is for what takes a second on an idle machine.
const patience = 20 * time.Second

// eventually waits until yes says nothing more.
func eventually(t testing.TB, missing func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		what := missing()
		if what == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %s", patience, what)
		}
	}
}
