package measure

import (
	"context"
	"errors"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/screen"
	"github.com/mesh-split/mesh-split/plugin/subject"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// Probing says whether a person said anything about the request itself: then it may choose the entry.
func (f *Flags) Probing() bool {
	c, err := f.Config()
	path, pathErr := f.Path()
	return err == nil && pathErr == nil && (path != "" || c.Method != "" || c.Host != "" || len(c.Header) > 0)
}

// Choose lets the request choose the entry where the object alone does not tell, which is what why says: the one that governs it.
// Without a request to go by, or the right to see what decides, why stands.
func Choose(ctx context.Context, s *subject.Subject, f *Flags, why error) error {
	var choice *fault.Error
	if s == nil || s.Chosen() || !errors.As(why, &choice) || !f.Probing() {
		return why
	}
	if choice.Name != "E_CHOOSE" && (choice.Name != "E_NO_WEIGHTS" || !s.Delegates()) {
		return why
	}
	if err := s.FindGateways(ctx); err != nil {
		return err
	}
	q, err := begin(s, f)
	if err != nil {
		return err
	}
	at, _, err := place(s, f)
	if err != nil {
		return err
	}
	d, unread, err := decide(ctx, s, q.probe(at))
	switch {
	case err != nil && len(unread) > 0 && ctx.Err() == nil:
		return why
	case err != nil:
		return err
	}
	entries, err := route.Entries(s.Object.Object, s.Mesh)
	if err != nil {
		return err
	}
	e, err := d.Require(entries, "")
	if err != nil {
		return err
	}
	if e.ObjectName() != s.Object.GetName() || e.Namespace() != s.Object.GetNamespace() {
		if err := s.Enter(ctx, e.Namespace(), e.ObjectName()); err != nil {
			return err
		}
	}
	return s.Choose(e.Slot())
}

// Govern makes sure that the request governs the entry of the subject, whose gateways were found, where nothing is sent.
func Govern(ctx context.Context, s *subject.Subject, f *Flags, show *screen.Screen) error {
	_, err := inquire(ctx, s, f, show)
	return err
}
