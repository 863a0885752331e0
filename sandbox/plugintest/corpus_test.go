//go:build unix

package plugintest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/mesh-split/mesh-split/sandbox"
)

// sketch is one case of the corpus of routes as hack/corpus prints it: its sketches made whole objects.
type sketch struct {
	ID, About string
	Objects   []object
	Facts     []string
	Run       []sketchCommand
	Want      sketchWant
}

type sketchCommand struct {
	Verb, Namespace string
	Words           []string
}

type sketchWant struct {
	Target, Error, Governs, Warns, Owner, Second string
	Weights                                      []int64
	ThenWeights                                  []int64 `json:"then_weights"`
	Ops                                          []string
	OpsInclude                                   []string `json:"ops_include"`
	Mentions                                     []string
	Requests                                     int
	RouteConfig                                  string `json:"envoy_route_config"`
	VirtualHost                                  string `json:"envoy_virtual_host"`
	RouteName                                    string `json:"envoy_route_name"`
	ConfigObject                                 string `json:"envoy_config_object"`
	Live                                         []bool
	Last, Alternative                            struct {
		Error  string
		Writes int
	}
}

// corpus has the root module expand the sketches: this module imports no package of it.
func corpus(t *testing.T) (cases []sketch) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", "run", "./hack/corpus", "testdata/corpus/cases.json")
	c.Dir, c.Stderr = filepath.Join("..", ".."), os.Stderr
	data, err := c.Output()
	if err == nil {
		err = json.Unmarshal(data, &cases)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) != 42 {
		t.Fatalf("%d cases, want 42", len(cases))
	}
	return cases
}

// board is a case with its objects in the API server, validated by istiod, and pushed to a gateway.
type board struct {
	*ingress
	sketch
	path   string         // of the programs
	holds  sandbox.Routes // what the gateway's Envoy held before the first command
	dump   string         // the same as a file
	places []string       // where the case was decided
}

// TestCorpus runs the cases C01 to C42 against a real API server, istiod and Envoy: the programs that users run say what is
// wanted, and the gateway's own configuration agrees. The table of docs/istio-behaviour.md is what this test did.
func TestCorpus(t *testing.T) {
	path, in := bin(t), startIngress(t)
	// The corpus knows one gateway. The sandbox's own steps aside until the last case, which is about several.
	restore := in.aside(read(t, "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: app-gateway, namespace: default}}"))
	t.Cleanup(func() {
		restore()
		if out, err := plugin(context.Background(), path, "wait", "demoapp", "--for=live").CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	laid := map[string]*unstructured.Unstructured{}
	t.Cleanup(func() {
		for _, o := range laid {
			in.remove(o)
		}
	})
	var table strings.Builder
	table.WriteString("| case | about | decided by |\n|---|---|---|\n")
	for _, c := range corpus(t) {
		t.Run(c.ID, func(t *testing.T) {
			own := *in
			own.TB = t
			defer func() { in.pushes = own.pushes }()
			b := &board{ingress: &own, sketch: c, path: path}
			switch c.ID {
			case "C05", "C41": // absent weights sum to 0, which istiod's webhook refuses
				defer b.pastWebhook()()
			case "C42":
				restore()
				run(t, path, "wait", "demoapp", "--for=live")
			}
			b.lay(laid)
			b.course()
			places := []string{"pure"}
			if c.ID == "C37" {
				places = nil // whether a refusal is passed on is no matter of a plan
			}
			for _, place := range []string{"API server", "istiod", "Envoy"} {
				if slices.Contains(b.places, place) {
					places = append(places, place)
				}
			}
			fmt.Fprintf(&table, "| %s | %s | %s |\n", c.ID, section.ReplaceAllString(c.About, ""), strings.Join(places, ", "))
		})
	}
	if !t.Failed() && table.Len() > 0 {
		onPage(t, "corpus", table.String())
	}
}

// section refers to the text that the case was written from.
var section = regexp.MustCompile(`§\d+ `)

func (b *board) at(places ...string) { b.places = append(b.places, places...) }

// lay brings the case's objects about, and leaves in laid what the next one may keep: whatever is no VirtualService and is the same.
func (b *board) lay(laid map[string]*unstructured.Unstructured) {
	wanted := map[string]object{}
	key := func(o *unstructured.Unstructured) string {
		return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
	}
	var order []*unstructured.Unstructured
	for _, raw := range b.Objects {
		o := sketched(raw)
		if kind := o.GetKind(); o.GetNamespace() == ingressNamespace && (kind == "Pod" || kind == "Service") {
			continue // the gateway itself, which is there
		}
		wanted[key(o)] = o.DeepCopy().Object
		order = append(order, o)
	}
	for name, o := range laid {
		if o.GetKind() == "VirtualService" || !reflect.DeepEqual(o.Object, wanted[name]) {
			b.remove(o)
			delete(laid, name)
		}
	}
	var born time.Time
	for _, o := range order {
		if laid[key(o)] != nil {
			continue
		}
		if o.GetCreationTimestamp().Time.After(time.Time{}) {
			time.Sleep(time.Until(born.Add(1100 * time.Millisecond))) // the API server's creation times are whole seconds
			unstructured.RemoveNestedField(o.Object, "metadata", "creationTimestamp")
			born = time.Now()
		}
		owners, _, _ := unstructured.NestedSlice(o.Object, "metadata", "ownerReferences")
		for _, owner := range owners { // a sketch has no identities; the API server wants one
			owner.(object)["uid"] = "11111111-2222-3333-4444-555555555555"
		}
		if len(owners) > 0 {
			_ = unstructured.SetNestedSlice(o.Object, owners, "metadata", "ownerReferences")
		}
		b.put(o)
		laid[key(o)] = sketched(wanted[key(o)])
	}
	b.at("API server")
	configs := []string{}
	if slices.ContainsFunc(order, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Gateway" }) {
		configs = append(configs, fmt.Sprintf("http.%d", b.port))
	}
	b.at("istiod")
	if b.ID == "C05" || b.ID == "C41" {
		return // a sum of 0 is nothing that Envoy takes: the case begins with what ends that
	}
	b.holds = b.pushed(configs...)
	b.dump = filepath.Join(b.TempDir(), "dump.json")
	_, raw := dumpOf(b, b.admin)
	if err := os.WriteFile(b.dump, raw, 0o600); err != nil {
		b.Fatal(err)
	}
}

// course runs the case's commands.
func (b *board) course() {
	switch b.ID {
	case "C12": // and the one that does govern is what the gateway has
		b.judge(b.Run[0], b.Want)
		b.explains(sketchCommand{Verb: "explain", Namespace: "shop", Words: []string{"http://shop.example.com/api/x"}}, sketchWant{Governs: `shop/web http[0] "api"`})
	case "C27": // and the gateway has no route there
		b.judge(b.Run[0], b.Want)
		b.explains(sketchCommand{Verb: "explain", Namespace: "shop", Words: []string{"http://shop.example.com/api"}}, sketchWant{Error: "E_NO_ROUTE", Mentions: b.Want.Mentions})
	case "C34":
		b.judge(b.Run[0], b.Want)
		then := b.Want
		then.Error, then.Mentions, then.Weights = "", nil, b.Want.ThenWeights
		b.judge(b.Run[1], then)
	case "C36":
		b.conflict()
	case "C37":
		b.denied()
	case "C38":
		b.judge(b.Run[0], b.Want)
		b.observing()
	case "C40":
		b.override()
	case "C41":
		b.wayBack()
	case "C42":
		b.live()
	default:
		if len(b.Run) != 1 {
			b.Fatalf("%d commands, and no course of its own", len(b.Run))
		}
		b.judge(b.Run[0], b.Want)
	}
}

func (b *board) judge(c sketchCommand, want sketchWant) {
	b.Helper()
	switch c.Verb {
	case "explain":
		b.explains(c, want)
	case "set":
		b.sets(c, want)
	default:
		b.Fatalf("verb %s is not known here", c.Verb)
	}
}
