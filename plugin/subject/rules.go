package subject

import (
	"context"
	"slices"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
)

// Rules is what decides which route governs a request at the subject's gateways, read once. Unread names the kinds of which
// something may be missing. The gateways must have been found.
func (s *Subject) Rules(ctx context.Context) (m *route.Mesh, unread []string, err error) {
	if s.rules != nil {
		return s.rules, s.unruled, nil
	}
	if err = s.readRules(ctx); err != nil {
		return nil, nil, err
	}
	// A Gateway of pods elsewhere has no say here.
	ours := slices.DeleteFunc(slices.Clone(s.whole.Pods), func(o route.Object) bool { return !s.Gateways.Has(o) })
	if len(ours) == 0 {
		ours = s.Gateways.Plain()
	}
	s.rules = s.whole.Behind(ours)
	return s.rules, s.unruled, nil
}

// readRules reads what decides about requests, of all gateways, once.
func (s *Subject) readRules(ctx context.Context) (err error) {
	if s.whole != nil {
		return nil
	}
	whole := *s.Mesh
	if s.unruled, err = s.Client.Rules(ctx, &whole); err != nil {
		return err
	}
	// The object itself is known, whatever may be listed.
	if into := &whole.VirtualServices; s.Object.Kind.Name == mesh.VirtualService.Name {
		if !route.Among(*into, s.Object.Object) {
			*into = append(*into, s.Object.Object)
		}
	} else if !route.Among(whole.Routes, s.Object.Object) {
		whole.Routes = append(whole.Routes, s.Object.Object)
	}
	s.whole = &whole
	return nil
}

// Choose chooses the entries called chosen, as --route names them. An empty name stands for none.
func (s *Subject) Choose(chosen ...string) error {
	s.chosen = slices.DeleteFunc(slices.Clone(chosen), func(name string) bool { return name == "" })
	return s.choose()
}

// Adopt takes another reading of the object.
func (s *Subject) Adopt(o mesh.Object) error {
	s.Object = o
	return s.choose()
}

// Chosen says whether a person named the entry.
func (s *Subject) Chosen() bool { return len(s.chosen) > 0 }
