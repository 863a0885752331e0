package fleet

import (
	"context"
	"slices"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
)

// Fleet is the open ways into the gateways of a subject.
type Fleet struct {
	watch   *mesh.Watch
	subject *subject.Subject
}

// Open opens a way to every Ready gateway pod of a subject whose gateways were found. Close it.
func Open(ctx context.Context, s *subject.Subject) *Fleet {
	return &Fleet{s.Client.Watch(ctx, s.Gateways), s}
}

// Look sees every gateway once.
func (f *Fleet) Look(ctx context.Context, e route.Entry) View {
	return f.LookAll(ctx, []route.Entry{e})[0]
}

// LookAll is Look for several entries of the object, in one question to each gateway.
func (f *Fleet) LookAll(ctx context.Context, entries []route.Entry) Views {
	return views(entries, f.watch.Look(ctx, entries...), time.Time{})
}

// Survey is Look, and others are routes in any gateway that send to the entry's destinations in other shares than the entry.
func (f *Fleet) Survey(ctx context.Context, e route.Entry) (v View, others []string) {
	sights, others := f.watch.Survey(ctx, e)
	return View{Entry: e, Sights: sights}, others
}

// Await looks until every gateway holds the weights of all entries, or ctx ends. Since is when the change was made, zero when
// nobody knows.
func (f *Fleet) Await(ctx context.Context, entries []route.Entry, since time.Time) Views {
	return views(entries, f.watch.Await(ctx, entries, since), since)
}

// Blame asks istiod whether gateways that do not hold the weights have refused their routes, where there are such. It is asked where
// something should be live and is not: a certain answer, if there is one.
func (f *Fleet) Blame(ctx context.Context, v Views) {
	if !slices.ContainsFunc(v, View.Behind) {
		return
	}
	nacks := f.subject.Client.Nacks(ctx, f.subject.Gateways)
	for _, one := range v {
		for i := range one.Sights {
			if s := &one.Sights[i]; s.Err == nil && !s.Live() && s.Error == "" {
				s.Error = nacks[s.Pod.String()]
			}
		}
	}
}

// Counts reads what every gateway has counted.
func (f *Fleet) Counts(ctx context.Context) []mesh.Reading { return f.watch.Counts(ctx) }

// Close ends the ways.
func (f *Fleet) Close() { f.watch.Close() }
