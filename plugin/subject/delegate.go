package subject

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// findRoots finds the VirtualServices that delegate to the subject's entries: a delegate names no gateways and no hosts, and in
// Envoy its routes carry the name of the root.
func (s *Subject) findRoots(ctx context.Context) error {
	if err := s.readRules(ctx); err != nil {
		return err
	}
	entries, chosen := s.Entries(), s.Entry.Object != nil
	if !chosen { // a request will
		entries, _ = route.Entries(s.Object.Object, s.Mesh)
	}
	var raw []route.Object
	var dropped error
	for _, e := range entries {
		roots, err := s.whole.Roots(e)
		if err != nil && (chosen || dropped == nil) {
			dropped = err
		}
		for _, root := range roots {
			if !route.Among(raw, root) {
				raw = append(raw, root)
			}
		}
	}
	switch {
	case dropped == nil || !chosen && len(raw) > 0:
	case slices.Contains(s.unruled, "virtualservices.networking.istio.io"):
		return fault.New(fault.Failed, "ask for the right to list virtualservices.networking.istio.io in all namespaces: one of them may delegate to it", "%w", dropped)
	default:
		return dropped
	}
	s.roots = nil
	for _, root := range raw {
		s.roots = append(s.roots, mesh.Object{Kind: mesh.VirtualService, Unstructured: &unstructured.Unstructured{Object: root}})
	}
	// The entries know this mesh, and so find their routes in Envoy.
	s.Mesh.VirtualServices, s.Mesh.DefaultExportTo = s.whole.Families(raw), s.whole.DefaultExportTo
	return nil
}

// follow is the subject that a root leads to: the only entry that splits traffic in the only VirtualService that it delegates to.
// Nil where why, which stands against the root itself, has another reason, or where that does not tell.
func (s *Subject) follow(ctx context.Context, why error) *Subject {
	var f *fault.Error
	if !errors.As(why, &f) || f.Name != "E_NO_WEIGHTS" || len(s.chosen) > 1 {
		return nil
	}
	entries, err := route.Entries(s.Object.Object, s.Mesh)
	if err != nil {
		return nil
	}
	var to [][2]string
	for _, e := range entries {
		ns, name, ok := e.Delegate()
		if ok && (len(s.chosen) == 0 || e.Called(s.chosen[0])) && !slices.Contains(to, [2]string{ns, name}) {
			to = append(to, [2]string{ns, name})
		}
	}
	if len(to) != 1 {
		return nil
	}
	one := *s
	if one.Enter(ctx, to[0][0], to[0][1]) != nil || one.Choose() != nil {
		return nil
	}
	return &one
}

// Enter makes the subject about another object, to which the one that was named delegates. Its entry is yet to be chosen.
func (s *Subject) Enter(ctx context.Context, namespace, name string) error {
	client := s.Client.In(namespace)
	o, err := client.Get(ctx, mesh.VirtualService, name)
	if err != nil {
		return err
	}
	s.Client, s.Object, s.Gateways = client, o, nil
	s.chosen, s.roots, s.whole, s.rules = nil, nil, nil, nil
	return nil
}

// Delegates says whether the object leaves routes to others.
func (s *Subject) Delegates() bool {
	entries, err := route.Entries(s.Object.Object, s.Mesh)
	return err == nil && slices.ContainsFunc(entries, func(e route.Entry) bool { _, _, ok := e.Delegate(); return ok })
}
