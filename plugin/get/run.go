package get

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
)

// namesLast is how long --watch takes destinations' names from what was read of Services and DestinationRules: they change
// more rarely than weights, and every reading of them is of the whole cluster.
const namesLast = 10 * time.Second

// Run reads and prints, with --watch until Ctrl-C.
func (o *Options) Run(ctx context.Context) error {
	out, err := o.output()
	if err != nil {
		return err
	}
	for {
		kinds, err := o.list(ctx, out)
		switch {
		case err != nil:
			return err
		case !o.Watch && out.rows == 0 && out.items == nil && !out.named():
			fmt.Fprintln(o.Streams.ErrOut, o.nothing())
			return nil
		}
		if err := out.end(); err != nil || !o.Watch {
			return err
		}
		err = o.watch(ctx, out, kinds)
		switch {
		case errors.Is(err, mesh.ErrHistory): // all of it again, as it is now
		case err != nil:
			return err
		default:
			return fault.Verdict{Exit: fault.Interrupted}
		}
	}
}

// reading is the list of one kind on its way.
type reading struct {
	query mesh.Query
	pages chan []mesh.Object // closed at the end; one page waits at most
	from  string             // then: where a watch goes on
	err   error              // then
}

// list prints what is there, kind by kind. All kinds and the names of destinations are asked for at once. It gives the kinds
// that could be read.
func (o *Options) list(ctx context.Context, out *output) ([]*reading, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // of what is still being read when printing fails
	queries, err := o.queries()
	if err != nil {
		return nil, err
	}
	beside := o.known(ctx, out)
	var kinds []*reading
	for _, q := range queries {
		r := &reading{query: q, pages: make(chan []mesh.Object, 1)}
		kinds = append(kinds, r)
		go func() {
			defer close(r.pages)
			r.from, r.err = o.read(ctx, r)
		}()
	}
	var there []*reading
	var faults []error
	var closed []string
	for _, r := range kinds {
		for page := range r.pages {
			k, err := beside()
			if err != nil {
				return nil, err
			}
			if err := out.add(page, k); err != nil {
				return nil, err
			}
		}
		var f *fault.Error
		rare := o.Name == "" && r.query.Kind.Name != mesh.VirtualService.Name
		switch {
		case r.err == nil:
			there = append(there, r)
		case o.Name == "" && errors.As(r.err, &f) && f.Name == mesh.NotServed: // Istio without the Gateway API, or the other way round
		case rare && apierrors.IsForbidden(r.err):
			closed = append(closed, r.query.Kind.Name+"s")
		default:
			faults = append(faults, r.err)
		}
	}
	switch {
	case len(faults) == 0 && len(there) == 0: // the first says it best
		faults = append(faults, kinds[0].err)
	case len(faults) == 0 && len(closed) > 0:
		fmt.Fprintf(o.Streams.ErrOut, "warning: no right to list %s: they are left out\n", strings.Join(closed, " and "))
	}
	return there, errors.Join(faults...)
}

// read sends the pages of a kind. An object that is asked for by name is got, not listed: that it is not there is said with
// the names that are near.
func (o *Options) read(ctx context.Context, r *reading) (from string, err error) {
	send := func(page []mesh.Object) error {
		select {
		case r.pages <- page:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if r.query.Name != "" {
		object, err := o.Client.Get(ctx, r.query.Kind, r.query.Name)
		if err != nil {
			return "", err
		}
		if !o.Watch { // a watch begins at the version of a list
			return "", send([]mesh.Object{object})
		}
	}
	return o.Client.Pages(ctx, r.query, send)
}

// queries are what is asked for: an object by its name, or every kind.
func (o *Options) queries() ([]mesh.Query, error) {
	if o.Name != "" {
		kind, name, err := mesh.ParseName(o.Name)
		return []mesh.Query{{Kind: kind, Name: name}}, err
	}
	var list []mesh.Query
	for _, kind := range mesh.Kinds() {
		list = append(list, mesh.Query{Kind: kind, All: o.All, Selector: o.Selector})
	}
	return list, nil
}

// known is what is read beside the objects.
type known struct {
	names   *route.Mesh                     // what gives destinations their names
	history func(mesh.Object) route.History // what is remembered outside of the objects
}

// known reads it in the background; the function waits for it, and reads it anew when it is asked so late that it may be old.
func (o *Options) known(ctx context.Context, out *output) func() (*known, error) {
	if out.named() {
		return func() (*known, error) { return nil, nil }
	}
	var (
		k    known
		err  error
		read time.Time
		done = make(chan struct{})
	)
	refresh := func() {
		var group sync.WaitGroup
		group.Go(func() { k.history = o.Client.Notebook(ctx, o.All) })
		k.names, _, err = o.Client.Surroundings(ctx)
		group.Wait()
		read = time.Now()
	}
	go func() {
		defer close(done)
		refresh()
	}()
	return func() (*known, error) {
		<-done
		if o.Watch && time.Since(read) > namesLast {
			refresh()
		}
		return &k, err
	}
}

// watch prints objects as they change, until ctx ends, then nil.
func (o *Options) watch(ctx context.Context, out *output, kinds []*reading) error {
	ctx, stop := context.WithCancel(ctx)
	beside := o.known(ctx, out)
	changes := make(chan mesh.Change)
	ends := make(chan error, len(kinds))
	var group sync.WaitGroup
	defer func() {
		stop()
		group.Wait()
	}()
	for _, r := range kinds {
		group.Go(func() {
			ends <- o.Client.Follow(ctx, r.query, r.from, func(c mesh.Change) error {
				select {
				case changes <- c:
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
		})
	}
	for {
		select {
		case c := <-changes:
			if err := o.changed(out, c, beside); err != nil {
				return err
			}
		case err := <-ends:
			if ctx.Err() != nil {
				return nil
			}
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

func (o *Options) changed(out *output, c mesh.Change, beside func() (*known, error)) error {
	if c.Deleted {
		fmt.Fprintf(o.Streams.ErrOut, "%s was deleted\n", report.Safe(c.String()))
		return nil
	}
	k, err := beside()
	if err != nil {
		return err
	}
	if err := out.add([]mesh.Object{c.Object}, k); err != nil {
		return err
	}
	if out.items != nil && len(out.items.Items) == 0 {
		return nil // a route without destinations
	}
	return out.end()
}

func (o *Options) nothing() string {
	if o.All {
		return "No route with destinations found"
	}
	return fmt.Sprintf("No route with destinations found in %s namespace.", o.Client.Namespace)
}
