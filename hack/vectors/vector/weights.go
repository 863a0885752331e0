package vector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/mesh-split/mesh-split/plugin/route"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// weightsFile is a file of weight arithmetic: mesh-split/weight-vectors/v1.
type weightsFile struct {
	Cases []weightsCase `json:"cases"`
}

type weightsCase struct {
	ID    string `json:"id"`
	Note  string `json:"note"`
	Kind  string `json:"kind"`
	Istio string `json:"istio"`
	In    []struct {
		Name   string `json:"name"`
		Weight any    `json:"weight"`
	} `json:"in"`
	Request []string `json:"request"`
	Options struct {
		Sum    json.RawMessage `json:"sum"`
		Spread bool            `json:"spread"`
	} `json:"options"`
	Before []string      `json:"before"`
	Want   weightsAnswer `json:"want"`
}

// weightsAnswer is what a case wants, and in the same form what the code gives: an error's name, or weights.
type weightsAnswer struct {
	Error   string   `json:"error,omitempty"`
	Weights []int64  `json:"weights,omitempty"`
	Sum     int64    `json:"sum"`
	Shares  []string `json:"shares,omitempty"`
	Ops     [][]any  `json:"ops,omitempty"`
}

// CheckWeights runs every case of a weights file through the code that plans an edit, from the terms of the command line
// to the operations of the JSON Patch. Each mismatch is a line: case, got, want.
func CheckWeights(data []byte) (passed int, mismatches []string) {
	var file weightsFile
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // a stored weight must reach the code as it was written
	if err := d.Decode(&file); err != nil {
		return 0, []string{"weights file: " + err.Error()}
	}
	for _, c := range file.Cases {
		before, got := c.run()
		switch {
		case !sameJSON(before, c.Before):
			mismatches = append(mismatches, fmt.Sprintf("%s (%s): before: got %s, want %s", c.ID, c.Note, asJSON(before), asJSON(c.Before)))
		case !got.equal(c.Want):
			mismatches = append(mismatches, fmt.Sprintf("%s (%s): got %s, want %s", c.ID, c.Note, asJSON(got), asJSON(c.Want)))
		default:
			passed++
		}
	}
	return passed, mismatches
}

func (a weightsAnswer) equal(b weightsAnswer) bool {
	if a.Error != "" || b.Error != "" {
		return a.Error == b.Error
	}
	return slices.Equal(a.Weights, b.Weights) && a.Sum == b.Sum && slices.Equal(a.Shares, b.Shares) &&
		(len(a.Ops) == 0 && len(b.Ops) == 0 || sameJSON(a.Ops, b.Ops))
}

func sameJSON(a, b any) bool { return asJSON(a) == asJSON(b) }

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// run gives the shares before the edit and the answer of the code.
func (c weightsCase) run() (before []string, answer weightsAnswer) {
	entries, err := route.Entries(c.object(), nil)
	if err != nil || len(entries) != 1 {
		return nil, weightsAnswer{Error: fmt.Sprintf("no entry: %v", err)}
	}
	before = fractions(entries[0].Shares())
	terms, err := route.ParseTerms(c.Request)
	if err != nil {
		return before, weightsAnswer{Error: errorName(err)}
	}
	plan, err := route.PlanSet(entries, terms, route.Options{Sum: c.sum(), Spread: c.Options.Spread, Istio: c.Istio})
	if err != nil {
		return before, weightsAnswer{Error: errorName(err)}
	}
	change := plan.Changes[0]
	answer = weightsAnswer{Weights: change.Weights(), Sum: change.Sum(), Shares: fractions(change.Shares())}
	for i := range change.From {
		for _, o := range plan.Ops {
			var section, list string
			if section, list = string(change.Entry.Section), "route"; section == "rules" {
				list = "backendRefs"
			}
			if o.Path == fmt.Sprintf("/spec/%s/0/%s/%d/weight", section, list, i) {
				answer.Ops = append(answer.Ops, []any{o.Op, i, o.Value})
			}
		}
	}
	return before, answer
}

// sum reads options.sum; what is no integer becomes one that is out of range.
func (c weightsCase) sum() *int64 {
	if len(c.Options.Sum) == 0 || string(c.Options.Sum) == "null" {
		return nil
	}
	sum := int64(-1)
	if json.Unmarshal(c.Options.Sum, &sum) != nil {
		sum = -1
	}
	return &sum
}

// object is the case's one entry as a Kubernetes object. A destination's name is written as on a command line.
func (c weightsCase) object() route.Object {
	section, version, kind := "http", "networking.istio.io/v1", "VirtualService"
	if s, ok := strings.CutPrefix(c.Kind, "VirtualService/"); ok {
		section = s
	} else {
		section, version, kind = "rules", "gateway.networking.k8s.io/v1", c.Kind
	}
	var list []any
	for _, in := range c.In {
		name, err := route.ParseName(in.Name)
		if err != nil {
			name = route.Name{Word: in.Name}
		}
		dest := map[string]any{"host": name.Word}
		item := map[string]any{"destination": dest}
		if section == "rules" {
			dest = item
			delete(item, "destination")
			dest["name"] = name.Word
		}
		if name.Subset != "" {
			dest["subset"] = name.Subset
		}
		if name.Port != 0 && section == "rules" {
			dest["port"] = int64(name.Port)
		} else if name.Port != 0 {
			dest["port"] = map[string]any{"number": int64(name.Port)}
		}
		if in.Weight != nil {
			item["weight"] = in.Weight
		}
		list = append(list, item)
	}
	entry := map[string]any{"route": list}
	if section == "rules" {
		entry = map[string]any{"backendRefs": list}
	}
	return route.Object{"apiVersion": version, "kind": kind,
		"metadata": map[string]any{"name": "vectors", "namespace": "vectors", "resourceVersion": "1"},
		"spec":     map[string]any{section: []any{entry}}}
}

func fractions(shares []*big.Rat) []string {
	var out []string
	for _, s := range shares {
		out = append(out, s.String())
	}
	return out
}

func errorName(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return e.Name
	}
	return err.Error()
}
