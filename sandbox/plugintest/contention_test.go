//go:build unix

package plugintest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// contended is an object with fields that nobody here knows: a change of it must leave them as they are, byte for byte.
const contended = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: writers
  namespace: default
  labels: {team: checkout}
  annotations: {example.com/note: "tabs\tand <angles> & ünïcode"}
spec:
  hosts: [writers.example.com]
  gateways: [app-gateway]
  http:
  - name: canary
    match: [{headers: {x-canary: {exact: "yes"}}}]
    timeout: 3s
    retries: {attempts: 2, perTryTimeout: 1s}
    route:
    - {destination: {host: flaskapp.stage.svc.cluster.local, port: {number: 80}}, headers: {response: {set: {x-served: stage}}}}
  - name: everyone
    route:
    - {destination: {host: flaskapp.prod.svc.cluster.local}, weight: 1000}
    - {destination: {host: flaskapp.stage.svc.cluster.local}, weight: 0}
`

// written is the newest change that an object's history tells.
type written struct {
	ID       int64
	From, To []int64
}

// Two hundred changes by eight writers at once. Each is accepted, with the next id, or refused with who was faster; no accepted
// change begins with other weights than the one before it left, and nothing but weights and history ever moves.
func TestWriters(t *testing.T) {
	const runs, writers = 200, 8
	path, w := bin(t), newWorld(t)
	first := w.create(read(t, contended))
	events := watched(t, w, first)

	var mutex sync.Mutex // guards accepted, refused
	var accepted []int64
	refused := 0
	numbers := make(chan int)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for i := range numbers {
				share := fmt.Sprintf("stage=%d.%d", (i+1)*4/10, (i+1)*4%10) // its own weights for every change
				c := plugin(t.Context(), path, "set", "writers", share, "--route", "everyone", "--wait=false", "-o", "json")
				var out, complaints bytes.Buffer
				c.Stdout, c.Stderr = &out, &complaints
				err := c.Run()
				var doc struct{ Revision int64 }
				mutex.Lock()
				switch exit := code(err); {
				case exit == 0 && json.Unmarshal(out.Bytes(), &doc) == nil && doc.Revision > 0:
					accepted = append(accepted, doc.Revision)
				case exit == 5 && strings.Contains(complaints.String(), "mesh-split") && strings.Contains(complaints.String(), "hint: "):
					refused++
				default:
					t.Errorf("%s: exit code %d\n%s%s", share, exit, &out, &complaints)
				}
				mutex.Unlock()
			}
		})
	}
	for i := range runs {
		numbers <- i
	}
	close(numbers)
	group.Wait()

	slices.Sort(accepted)
	for i, id := range accepted {
		if id != int64(i+1) {
			t.Fatalf("accepted changes printed %v: not 1 to %d", accepted, len(accepted))
		}
	}
	t.Logf("%d accepted, %d refused", len(accepted), refused)
	if len(accepted)+refused != runs || len(accepted) < 2 || refused == 0 {
		t.Errorf("%d accepted and %d refused of %d", len(accepted), refused, runs)
	}

	whole := bare(t, first)
	before := first
	for i := range accepted {
		var now *unstructured.Unstructured
		select {
		case now = <-events:
		case <-time.After(patience):
			t.Fatalf("the object changed %d times, and %d changes were accepted", i, len(accepted))
		}
		last := newest(t, now)
		if last.ID != int64(i+1) {
			t.Fatalf("change %d is called %d", i+1, last.ID)
		}
		if have, left := weightsOfEntry(now, 1), weightsOfEntry(before, 1); !slices.Equal(have, last.To) || !slices.Equal(left, last.From) {
			t.Errorf("change %d: from %v to %v, and history says from %v to %v", last.ID, left, have, last.From, last.To)
		}
		if text := bare(t, now); text != whole {
			t.Fatalf("change %d moved more than weights and history:\n%s\nwas\n%s", last.ID, text, whole)
		}
		before = now
	}
	select {
	case more := <-events:
		t.Errorf("one more change than were accepted: %v", newest(t, more))
	case <-time.After(500 * time.Millisecond):
	}
}

// watched gives every later state of an object, in order.
func watched(t *testing.T, w world, o *unstructured.Unstructured) <-chan *unstructured.Unstructured {
	t.Helper()
	stream, err := w.of(o.GetKind(), o.GetNamespace()).Watch(t.Context(), metav1.ListOptions{
		FieldSelector: "metadata.name=" + o.GetName(), ResourceVersion: o.GetResourceVersion()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Stop)
	events := make(chan *unstructured.Unstructured, 1000)
	go func() {
		for e := range stream.ResultChan() {
			if u, ok := e.Object.(*unstructured.Unstructured); ok && e.Type == watch.Modified {
				events <- u
			}
		}
	}()
	return events
}

const historyKey = "mesh-split.dev/history"

func newest(t *testing.T, o *unstructured.Unstructured) (last written) {
	t.Helper()
	var items []json.RawMessage // the others may be anybody's
	err := json.Unmarshal([]byte(o.GetAnnotations()[historyKey]), &items)
	if err == nil && len(items) > 0 {
		err = json.Unmarshal(items[0], &last)
	}
	if err != nil || len(items) == 0 {
		t.Fatalf("history %.1000q: %v", o.GetAnnotations()[historyKey], err)
	}
	return last
}

func destinationsOf(o *unstructured.Unstructured, entry int) []any {
	entries, _, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "http")
	return entries.([]any)[entry].(object)["route"].([]any)
}

func weightsOfEntry(o *unstructured.Unstructured, entry int) (all []int64) {
	for _, d := range destinationsOf(o, entry) {
		weight, _ := d.(object)["weight"].(int64)
		all = append(all, weight)
	}
	return all
}

// bare is an object without what a change may move: the weights of the entry, our history, and what the server writes.
func bare(t *testing.T, o *unstructured.Unstructured) string {
	t.Helper()
	o = o.DeepCopy()
	for _, field := range []string{"resourceVersion", "managedFields", "generation"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	unstructured.RemoveNestedField(o.Object, "metadata", "annotations", historyKey)
	for _, d := range destinationsOf(o, 1) {
		delete(d.(object), "weight")
	}
	text, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
