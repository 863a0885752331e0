package mesh

import (
	"context"
	"sync"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	istiov1 "istio.io/client-go/pkg/apis/networking/v1"

	"github.com/mesh-split/mesh-split/plugin/route"
)

// Ahead sends what a change of an object is going to ask for, before it is asked: a change is then two waves of reading and the
// patch, however many questions it has, and each costs a round trip only once. Each answer is handed to the first who asks for it,
// with its error, as if it had been asked for then; whoever asks later asks the API server. What is not asked for in the end is
// forgotten. The caller ends it with stop, which waits for what is still on its way.
func (c *Client) Ahead(ctx context.Context, name string) (stop func()) {
	kind, name, err := ParseName(name)
	if err != nil || kind.Name != VirtualService.Name {
		return func() {} // with the Gateway API other questions follow
	}
	ctx, cancel := context.WithCancel(ctx)
	a := &ahead{answers: map[string]*answer{}}
	c.early = a
	gvr := schema.GroupVersionResource{Group: kind.Group, Version: kind.Versions[0], Resource: kind.Resource}
	send(a, "group "+kind.Group, func() ([]string, error) { return c.readGroup(ctx, kind.Group) })
	object := send(a, getKey(gvr, name), func() (*unstructured.Unstructured, error) { return c.read(ctx, gvr, name) })
	rules := send(a, "destinationrules", func() ([]route.Object, error) { return c.destinationRules(ctx) })
	entries := send(a, "serviceentries", func() ([]route.Object, error) { return c.serviceEntries(ctx) })
	services := send(a, allServices, func() ([]core.Service, error) { return c.listServices(ctx, metav1.NamespaceAll) })
	gateways := send(a, allGateways, func() ([]*istiov1.Gateway, error) { return c.listGateways(ctx) })
	send(a, "who", func() (string, error) { return c.whoAmI(ctx) })
	marks := func(all []mark) {
		for _, k := range all {
			send(a, k.String(), func() ([]route.Object, error) { return c.listMarked(ctx, k) })
		}
	}
	marks([]mark{{rollouts, metav1.NamespaceAll}, {canaries, c.Namespace}})

	a.group.Go(func() { // the second wave: what only the object's own words lead to
		o, _ := wait[*unstructured.Unstructured](object)
		if o == nil {
			return
		}
		pods := func(s selector) {
			send(a, "pods "+s.namespace+" "+s.String(), func() ([]core.Pod, error) { return c.listPods(ctx, s) })
		}
		marks(marksOn(Object{kind, o}))
		list, _ := wait[[]*istiov1.Gateway](gateways)
		for _, text := range Parents(Object{kind, o}) {
			namespace, name := gatewayName(text, o.GetNamespace())
			for _, g := range list {
				if g.Namespace == namespace && g.Name == name {
					pods(selector{metav1.NamespaceAll, g.Spec.GetSelector()})
				}
			}
		}
		m := &route.Mesh{}
		m.DestinationRules, _ = wait[[]route.Object](rules)
		m.ServiceEntries, _ = wait[[]route.Object](entries)
		typed, _ := wait[[]core.Service](services)
		m.Services, _ = plain(typed)
		all, err := route.Entries(o.Object, m)
		if err != nil {
			return
		}
		behind := servicesOf(all...)
		if len(behind) > guessed {
			return
		}
		for s, split := range behind {
			send(a, "endpointslices "+s.String(), func() ([]route.Object, error) { return c.endpointSlices(ctx, s) })
			if chosen := selectorOf(m, s); split && len(chosen) > 0 {
				pods(selector{s.namespace, chosen})
			}
		}
	})
	return func() {
		cancel()
		a.group.Wait()
	}
}

// guessed is of how many Services the endpoints are asked for before it is known which entry changes. An object of more is asked about
// later, of that entry alone: a wave more for us is better than a hundred requests more for the API server.
const guessed = 8

// ahead are the answers on their way.
type ahead struct {
	mutex   sync.Mutex // guards answers
	answers map[string]*answer
	group   sync.WaitGroup
}

// answer is that to one request; value and err may be read once done is closed.
type answer struct {
	done  chan struct{}
	value any
	err   error
	taken bool // guarded by the mutex of ahead
}

// send sends a request; one of the same key is sent once.
func send[T any](a *ahead, key string, read func() (T, error)) *answer {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if was := a.answers[key]; was != nil {
		return was
	}
	now := &answer{done: make(chan struct{})}
	a.answers[key] = now
	a.group.Go(func() {
		defer close(now.done)
		now.value, now.err = read()
	})
	return now
}

// wait gives an answer when it is there.
func wait[T any](a *answer) (T, error) {
	<-a.done
	value, _ := a.value.(T)
	return value, a.err
}

// early gives the answer that was asked for ahead, to the first who wants it, and else asks.
func early[T any](c *Client, key string, read func() (T, error)) (T, error) {
	if c.early == nil {
		return read()
	}
	a := send(c.early, key, read) // if it was not sent, nobody else needs to send it any more
	c.early.mutex.Lock()
	taken := a.taken
	a.taken = true
	c.early.mutex.Unlock()
	if taken {
		return read()
	}
	return wait[T](a)
}

// known gives an answer that was asked for ahead, to everybody who wants it; false if it was not, or has an error.
func known[T any](c *Client, key string) (value T, ok bool) {
	if c.early == nil {
		return value, false
	}
	c.early.mutex.Lock()
	a := c.early.answers[key]
	c.early.mutex.Unlock()
	if a == nil {
		return value, false
	}
	value, err := wait[T](a)
	return value, err == nil
}

// The keys of answers that several ask for.
const (
	allServices = "services"
	allGateways = "gateways"
)
