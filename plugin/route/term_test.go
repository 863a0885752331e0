package route_test

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/mesh-split/mesh-split/plugin/route"
)

func TestParseTermProperty(t *testing.T) {
	word := rapid.StringMatching(`[a-z0-9][a-zA-Z0-9._-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		n := route.Name{Word: word.Draw(t, "word"), Index: -1}
		if rapid.Bool().Draw(t, "subset") {
			n.Subset = word.Draw(t, "subset's name")
		}
		if rapid.Bool().Draw(t, "port") {
			n.Port = rapid.IntRange(1, 65535).Draw(t, "port's number")
		}
		if rapid.Bool().Draw(t, "index") {
			n = route.Name{Index: rapid.IntRange(0, 999999).Draw(t, "index's number")}
		}
		term := route.Term{Dest: n}
		if rapid.Bool().Draw(t, "share") {
			term.Share = big.NewRat(rapid.Int64Range(0, 1_000_000).Draw(t, "share's ten-thousandths of a percent"), 1_000_000)
		}
		got, err := route.ParseTerm(term.String())
		if err != nil || got.Dest != n || got.Rest() != term.Rest() || !got.Rest() && got.Share.Cmp(term.Share) != 0 {
			t.Fatalf("%s reads as %v, %v", term, got, err)
		}
	})
}

// Whatever stands in an entry, the short name of each destination can be typed and means it alone.
func TestShortProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SampledFrom([]string{"a", "b", "shop", "prod"})
		var list []any
		for range rapid.IntRange(1, 5).Draw(t, "destinations") {
			host := few.Draw(t, "service")
			switch rapid.IntRange(0, 3).Draw(t, "form") {
			case 0:
				host += "." + few.Draw(t, "namespace") + ".svc.cluster.local"
			case 1:
				host += ".example.com"
			case 2:
				host = rapid.String().Draw(t, "anything")
			}
			dest := map[string]any{"host": host}
			if rapid.Bool().Draw(t, "subset") {
				dest["subset"] = few.Draw(t, "subset's name")
			}
			if rapid.Bool().Draw(t, "port") {
				dest["port"] = map[string]any{"number": rapid.Int64Range(80, 81).Draw(t, "port's number")}
			}
			list = append(list, map[string]any{"destination": dest})
		}
		m := &route.Mesh{Aliases: map[string]string{"a": "@0", "b/shop": "a"}}
		o := route.Object{"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"namespace": "shop", "name": "web"},
			"spec": map[string]any{"http": []any{map[string]any{"route": list}}}}
		es, err := route.Entries(o, m)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range es[0].Destinations {
			n, err := route.ParseName(d.Short)
			if err != nil {
				t.Fatalf("%q cannot be typed: %v", d.Short, err)
			}
			if got, err := es[0].Resolve(n); err != nil || got.Index != i {
				t.Fatalf("%q of destination %d means %d, %v\n%s", d.Short, i, got.Index, err, fmt.Sprint(list))
			}
		}
	})
}
