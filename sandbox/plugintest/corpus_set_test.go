//go:build unix

package plugintest

import (
	"encoding/json"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// sets plans, sends and follows a change; one that must be refused leaves every object as it was.
func (b *board) sets(c sketchCommand, want sketchWant) {
	b.Helper()
	words := append([]string{"set"}, c.Words...)
	before := b.versions()
	if want.Error != "" {
		_, complaints, exit := b.run(c.Namespace, words...)
		b.refused(complaints, exit, want)
		if after := b.versions(); after != before {
			b.Errorf("a refusal wrote: %s, before %s", after, before)
		}
		return
	}
	out, complaints, exit := b.run(c.Namespace, append(slices.Clone(words), "--dry-run=server", "-o", "json")...)
	var plan struct {
		Object struct{ Namespace, Name string }
		Route  string
		Patch  []struct {
			Op, Path string
			Value    any
		}
	}
	if err := json.Unmarshal([]byte(out), &plan); err != nil || exit != 0 {
		b.Fatalf("exit code %d, %v\n%s", exit, err, complaints)
	}
	var ops []string
	for _, op := range plan.Patch {
		line := op.Op + " " + op.Path
		if op.Op != "remove" {
			value, _ := json.Marshal(op.Value)
			line += " " + string(value)
		}
		ops = append(ops, line)
	}
	b.sameOps(ops, want)
	slot, _, _ := strings.Cut(plan.Route, " ") // behind it stands the entry's name
	target := plan.Object.Namespace + "/" + plan.Object.Name + " " + slot
	if want.Target != "" && target != want.Target {
		b.Errorf("got %s, want %s", target, want.Target)
	}
	if after := b.versions(); after != before {
		b.Errorf("a dry run wrote: %s, before %s", after, before)
	}
	if out, complaints, exit = b.run(c.Namespace, words...); exit != 0 || !strings.Contains(out, "✓ live") {
		b.Fatalf("exit code %d\n%s%s", exit, out, complaints)
	}
	b.hold(plan.Object.Namespace, plan.Object.Name, want)
}

func (b *board) refused(complaints string, exit int, want sketchWant) {
	b.Helper()
	kind, known := kinds[want.Error]
	if !known {
		b.Fatalf("%s is not known here", want.Error)
	}
	if exit != kind.exit || !strings.Contains(complaints, kind.says) {
		b.Errorf("exit code %d and %q, want %d and %q (%s)", exit, complaints, kind.exit, kind.says, want.Error)
	}
	b.mentions(complaints, want.Mentions)
	if want.Owner != "" {
		b.mentions(complaints, []string{"--override-owner=" + want.Owner})
	}
}

// hold checks that object and gateway have the weights.
func (b *board) hold(namespace, name string, want sketchWant) {
	b.Helper()
	route, _, _ := unstructured.NestedSlice(b.get("VirtualService", namespace, name).Object, "spec", "http")
	var have []int64
	for _, d := range route[0].(object)["route"].([]any) {
		w, _ := d.(object)["weight"].(int64)
		have = append(have, w)
	}
	if !slices.Equal(have, want.Weights) {
		b.Errorf("the object has %v, want %v", have, want.Weights)
	}
	source := namespace + "/" + name
	if want.ConfigObject != "" {
		source = want.ConfigObject
	}
	d, _ := dumpOf(b, b.admin)
	made := d.MadeOf(source)
	if len(made) == 0 {
		b.Fatalf("in Envoy there is no route of %s", source)
	}
	var left []int64
	for _, w := range want.Weights {
		if w > 0 {
			left = append(left, w)
		}
	}
	var held []int64
	for _, c := range made[0].Route.Weighted.Clusters {
		held = append(held, c.Weight)
	}
	if len(left) == 1 && made[0].Route.Cluster != "" {
		held = left // a plain cluster takes all
	}
	if !slices.Equal(held, left) {
		b.Errorf("in Envoy %v, want %v", held, left)
	}
	if want.RouteName != "" && made[0].Name != want.RouteName {
		b.Errorf("in Envoy the route is called %q, want %q", made[0].Name, want.RouteName)
	}
	b.at("Envoy")
}

// versions are the resourceVersions of the case's VirtualServices.
func (b *board) versions() string {
	var all []string
	for _, o := range b.Objects {
		if u := sketched(o); u.GetKind() == "VirtualService" {
			all = append(all, b.get("VirtualService", u.GetNamespace(), u.GetName()).GetResourceVersion())
		}
	}
	return strings.Join(all, " ")
}

// sameOps compares a patch; a wished operation may leave the value out.
func (b *board) sameOps(got []string, want sketchWant) {
	b.Helper()
	has := func(want string) bool {
		return slices.ContainsFunc(got, func(op string) bool { return op == want || strings.HasPrefix(op, want+" ") })
	}
	if want.Ops != nil && len(want.Ops) != len(got) {
		b.Errorf("got the patch %q, want %q", got, want.Ops)
	}
	for _, op := range slices.Concat(want.Ops, want.OpsInclude) {
		if !has(op) {
			b.Errorf("got the patch %q, want %q in it", got, op)
		}
	}
}
