package fleet

import (
	"context"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/plugin/subject"
)

// Fleet is the open ways into the gateways of a subject.
type Fleet struct{ watch *mesh.Watch }

// Open opens a way to every Ready gateway pod of a subject whose gateways were found. Close it.
func Open(ctx context.Context, s *subject.Subject) *Fleet {
	return &Fleet{s.Client.Watch(ctx, s.Gateways)}
}

// Look sees every gateway once.
func (f *Fleet) Look(ctx context.Context, e route.Entry) View {
	return View{Entry: e, Sights: f.watch.Look(ctx, e)}
}

// Survey is Look, and others are routes in any gateway that send to the entry's destinations in other shares than the entry.
func (f *Fleet) Survey(ctx context.Context, e route.Entry) (v View, others []string) {
	sights, others := f.watch.Survey(ctx, e)
	return View{Entry: e, Sights: sights}, others
}

// Await looks until every gateway holds the entry's weights, or ctx ends. Since is when the change was made, zero when
// nobody knows.
func (f *Fleet) Await(ctx context.Context, e route.Entry, since time.Time) View {
	sights, _ := f.watch.Await(ctx, e, since)
	return View{Entry: e, Sights: sights, Since: since}
}

// Counts reads what every gateway has counted.
func (f *Fleet) Counts(ctx context.Context) []mesh.Reading { return f.watch.Counts(ctx) }

// Close ends the ways.
func (f *Fleet) Close() { f.watch.Close() }
