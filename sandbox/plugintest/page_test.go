//go:build unix

package plugintest

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what was seen into docs/istio-behaviour.md")

const page = "../../docs/istio-behaviour.md"

// onPage compares a part of docs/istio-behaviour.md with what was seen just now, so that the page says what is so. A part stands
// between <!-- NAME --> and <!-- /NAME -->.
func onPage(t *testing.T, name, seen string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), "<!-- "+name+" -->\n")
	said, after, closed := strings.Cut(rest, "<!-- /"+name+" -->\n")
	if !found || !closed {
		t.Fatalf("%s has no part %s", page, name)
	}
	seen = strings.TrimSpace(seen) + "\n"
	if said == seen {
		return
	}
	if *update {
		text := before + "<!-- " + name + " -->\n" + seen + "<!-- /" + name + " -->\n" + after
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s says of %s:\n%swhat was seen:\n%srepair: go test ./plugintest -run %s -update, and read the diff", page, name, said, seen, t.Name())
}
