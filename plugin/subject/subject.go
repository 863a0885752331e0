package subject

import (
	"context"
	"fmt"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
)

// Subject is one entry of one object, or several where a command takes several.
type Subject struct {
	Client   *mesh.Client
	Object   mesh.Object
	Mesh     *route.Mesh
	Entry    route.Entry    // what the verb is about
	Gateways *mesh.Gateways // nil until FindGateways
	Unread   []string       // resources that may not be read, and whose names are not understood

	others  []route.Entry // what it is about besides Entry
	chosen  []string      // --route
	roots   []mesh.Object // what delegates to Object, where that is a delegate and its gateways were found
	whole   *route.Mesh   // what decides about requests, of all gateways; nil until it was read
	rules   *route.Mesh   // of Rules; nil until it was called
	unruled []string
}

// Load reads the object called name (NAME or TYPE/NAME) and chooses its entries: those called chosen, or the only one that
// splits traffic. An empty name in chosen stands for none. Where the choice fails, the subject is there all the same: a request
// may choose.
func Load(ctx context.Context, c *mesh.Client, name string, chosen ...string) (*Subject, error) {
	s, err := Read(ctx, c, name)
	if err != nil {
		return nil, err
	}
	if err = s.Choose(chosen...); err != nil {
		if d := s.follow(ctx, err); d != nil {
			return d, nil
		}
	}
	return s, err
}

// Read reads the object called name and leaves the choice of an entry to the caller.
func Read(ctx context.Context, c *mesh.Client, name string) (*Subject, error) {
	kind, name, err := mesh.ParseName(name)
	if err != nil {
		return nil, err
	}
	s := &Subject{Client: c}
	if s.Object, err = c.Get(ctx, kind, name); err != nil {
		return nil, err
	}
	s.Mesh, s.Unread, err = c.Surroundings(ctx)
	return s, err
}

// Reload reads the object again.
func (s *Subject) Reload(ctx context.Context) error {
	o, err := s.Client.Get(ctx, s.Object.Kind, s.Object.GetName())
	if err != nil {
		return err
	}
	s.Object = o
	return s.choose()
}

func (s *Subject) choose() error {
	entries, err := route.Entries(s.Object.Object, s.Mesh)
	if err != nil {
		return err
	}
	if entries, err = route.ChooseEach(entries, s.chosen); err == nil {
		s.Take(entries)
	}
	return err
}

// Take makes the entries what the subject is about; there is at least one.
func (s *Subject) Take(entries []route.Entry) { s.Entry, s.others = entries[0], entries[1:] }

// Entries are all that the subject is about, Entry the first of them.
func (s *Subject) Entries() []route.Entry { return append([]route.Entry{s.Entry}, s.others...) }

// PlanSet plans the shares that terms ask for, in the subject's entries or with all in every entry that has them, which are the
// subject's from then on.
func (s *Subject) PlanSet(all bool, terms []route.Term, o route.Options) (plan *route.Plan, err error) {
	var left []string
	if all {
		if left, err = s.ChooseAll(terms); err != nil {
			return nil, err
		}
	}
	if plan, err = route.PlanSet(s.Entries(), terms, o); err == nil {
		plan.LeftOut = left
	}
	return plan, err
}

// ChooseAll takes every entry that splits traffic and has the destinations that terms name. Left says why others are left out.
func (s *Subject) ChooseAll(terms []route.Term) (left []string, err error) {
	entries, err := route.Entries(s.Object.Object, s.Mesh)
	if err != nil {
		return nil, err
	}
	if entries, left, err = route.ChooseAll(entries, terms); err == nil {
		s.TakeNamed(entries)
	}
	return left, err
}

// TakeNamed takes the entries as if each had been named by --route.
func (s *Subject) TakeNamed(entries []route.Entry) {
	s.chosen = nil
	for _, e := range entries {
		s.chosen = append(s.chosen, e.Slot())
	}
	s.Take(entries)
}

// Of is the subject with one of its entries alone.
func (s *Subject) Of(e route.Entry) *Subject {
	one := *s
	if len(s.others) > 0 {
		one.TakeNamed([]route.Entry{e})
	}
	one.Take([]route.Entry{e})
	return &one
}

// FindGateways finds the gateways that serve the object.
func (s *Subject) FindGateways(ctx context.Context) (err error) {
	objects := []mesh.Object{s.Object}
	if route.IsDelegate(s.Object.Object) {
		if err := s.findRoots(ctx); err != nil {
			return err
		}
		objects = s.roots
	}
	s.Gateways, err = s.Client.Gateways(ctx, objects...)
	return err
}

// Hosts are the hosts that the object serves: a delegate those of its roots, and an HTTPRoute that names none those of the listener
// that it is attached to.
func (s *Subject) Hosts() []string {
	hosts := mesh.Hosts(s.Object)
	for _, root := range s.roots {
		hosts = append(hosts, mesh.Hosts(root)...)
	}
	if len(hosts) == 0 && s.Gateways != nil {
		return s.Gateways.Server.Hosts
	}
	return hosts
}

// Title are the facts that are printed before anything is sent or written: context, object and entry, hosts, gateway.
func (s *Subject) Title() []string {
	var entries []string
	for _, e := range s.Entries() {
		entry := e.Slot()
		if e.Name != "" {
			entry += fmt.Sprintf(" %q", e.Name)
		}
		entries = append(entries, entry)
	}
	facts := []string{
		"context " + s.Client.Context,
		s.Object.String() + " " + strings.Join(entries, ", "),
		"hosts " + strings.Join(s.Hosts(), ", "),
	}
	for _, root := range s.roots {
		facts = append(facts, "root "+root.GetNamespace()+"/"+root.GetName())
	}
	if s.Gateways != nil {
		facts = append(facts, "gateway "+s.Gateways.Title())
	}
	return facts
}

// RouteCommand is a Command about the entries too, where the object has others that could be meant.
func (s *Subject) RouteCommand(verb string, args ...string) string {
	for _, name := range s.chosen {
		args = append(args, "--route", shellWord(name))
	}
	return s.Command(verb, args...)
}

// shellWord quotes a word that a shell would not leave as it is.
func shellWord(word string) string {
	if strings.IndexFunc(word, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:", r))
	}) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Command is a command line of this plugin about the object, complete with namespace and context, to be pasted anywhere.
func (s *Subject) Command(verb string, args ...string) string {
	words := append([]string{"kubectl mesh-split", verb, s.Object.Argument()}, args...)
	words = append(words, "-n", s.Object.GetNamespace())
	if s.Client.Context != "" && s.Client.Context != mesh.InClusterContext {
		words = append(words, "--context", s.Client.Context)
	}
	return strings.Join(words, " ")
}
