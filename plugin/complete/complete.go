package complete

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/subject"
)

// patience is how long a shell waits for its Tab.
const patience = time.Second

// Func is what cobra asks for.
type Func = func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// Name completes the first argument with the names of VirtualServices, or behind httproute/ with those of that kind.
func Name(f mesh.Factory) Func {
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(c, f, typed), cobra.ShellCompDirectiveNoFileComp
	}
}

// NameThenDestinations completes a name, and after it "DEST=" for the destinations that are not named yet.
func NameThenDestinations(f mesh.Factory) Func {
	return func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return names(c, f, typed), cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		client, err := f.Client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		chosen, _ := c.Flags().GetStringArray("route")
		s, err := subject.Load(ctx, client, args[0], chosen...)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var list []string
		for _, name := range s.Entry.Names() {
			named := slices.ContainsFunc(args[1:], func(a string) bool { return strings.HasPrefix(a, name+"=") })
			if !named && strings.HasPrefix(name+"=", typed) {
				list = append(list, name+"=")
			}
		}
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

func names(_ *cobra.Command, f mesh.Factory, typed string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := f.Client()
	if err != nil {
		return nil
	}
	kind, prefix := mesh.VirtualService, ""
	if i := strings.IndexByte(typed, '/'); i >= 0 {
		prefix = typed[:i+1]
		if kind, _, err = mesh.ParseName(prefix + "NAME"); err != nil {
			return nil
		}
	}
	var list []string
	for _, name := range client.Names(ctx, kind) {
		if strings.HasPrefix(prefix+name, typed) {
			list = append(list, prefix+name)
		}
	}
	return list
}
