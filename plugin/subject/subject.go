package subject

import (
	"context"
	"fmt"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/route"
)

// Subject is one entry of one object.
type Subject struct {
	Client   *mesh.Client
	Object   mesh.Object
	Mesh     *route.Mesh
	Entry    route.Entry
	Gateways *mesh.Gateways // nil until FindGateways
	Unread   []string       // resources that may not be read, and whose names are not understood

	chosen  string      // --route
	rules   *route.Mesh // of Rules; nil until it was called
	unruled []string
}

// Load reads the object called name (NAME or TYPE/NAME) and chooses its entry: the one called chosen, or the only one that
// splits traffic. Where the choice fails, the subject is there all the same: a request may choose.
func Load(ctx context.Context, c *mesh.Client, name, chosen string) (*Subject, error) {
	s, err := Read(ctx, c, name)
	if err != nil {
		return nil, err
	}
	return s, s.Choose(chosen)
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
	s.Entry, err = route.Choose(entries, s.chosen)
	return err
}

// FindGateways finds the gateways that serve the object.
func (s *Subject) FindGateways(ctx context.Context) (err error) {
	s.Gateways, err = s.Client.Gateways(ctx, s.Object)
	return err
}

// Hosts are the hosts that the object serves; an HTTPRoute that names none has those of the listener that it is attached to.
func (s *Subject) Hosts() []string {
	hosts := mesh.Hosts(s.Object)
	if len(hosts) == 0 && s.Gateways != nil {
		return s.Gateways.Server.Hosts
	}
	return hosts
}

// Title are the facts that are printed before anything is sent or written: context, object and entry, hosts, gateway.
func (s *Subject) Title() []string {
	entry := s.Entry.Slot()
	if s.Entry.Name != "" {
		entry += fmt.Sprintf(" %q", s.Entry.Name)
	}
	facts := []string{
		"context " + s.Client.Context,
		s.Object.String() + " " + entry,
		"hosts " + strings.Join(s.Hosts(), ", "),
	}
	if s.Gateways != nil {
		facts = append(facts, "gateway "+s.Gateways.Title())
	}
	return facts
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
