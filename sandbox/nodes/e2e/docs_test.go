//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The chapters' table in docs/e2e.md is copied by a person; none may be missing there, nor one that is gone stay.
func TestTableInDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository(t), "docs/e2e.md"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, row := range regexp.MustCompile(`(?m)^(\| [-0-9, ]+ \| .* \|) (?:passed|not run here), \d+ s \|$`).FindAllStringSubmatch(string(text), -1) {
		rows = append(rows, row[1])
	}
	var want []string
	for _, c := range append(append([]chapter{}, story...), lastChapter) {
		want = append(want, fmt.Sprintf("| %s | %s |", c.row, c.what))
	}
	if got, want := strings.Join(rows, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("the table in docs/e2e.md has\n%s\nmake e2e prints\n%s", got, want)
	}
}

// What walk relies on: numbers may differ, words may not.
func TestShape(t *testing.T) {
	for _, row := range []struct {
		shown, printed string
		same           bool
	}{
		{" ✓ measured       3 075 requests in 12 s, 0 errors", " ✓ measured       12 204 requests in 12.4 s, 3 errors", true},
		{" ✓ live           2/2 gateways hold 70/30; first after 128 ms, last after 172 ms", " ✓ live           2/2 gateways hold 70/30; first after 0.9 s, last after 1.2 s", true},
		{"prod           demoappv1-9c7b9c894-xcp67               2/2     Running   0          72s", "prod  demoappv1-68845dd7d4-m2fqx  2/2  Running  0  2m3s", true},
		{"date: Mon, 23 Nov 2026 03:34:16 GMT", "date: Thu, 26 Nov 2026 17:34:16 GMT", true},
		{" ✓ live           2/2 gateways hold 70/30", " ! live           1/2 gateways hold 70/30", false},
		{"x-app-destination: stage", "x-app-destination: prod", false},
	} {
		if got := shape(row.shown) == shape(row.printed); got != row.same {
			t.Errorf("%q and %q: same %v, want %v: %q, %q", row.shown, row.printed, got, row.same, shape(row.shown), shape(row.printed))
		}
	}
}

// A page without commands would hold nothing.
func TestPageHasSessions(t *testing.T) {
	page := pageLines(t, repository(t))
	for _, section := range []string{"What is there", "A canary", "In steps", "Promotion", "Back", "Blue/green", "Mutual TLS", "When it goes wrong"} {
		if len(sessions(page, section)) == 0 {
			t.Errorf("%s has no commands under %q", pageFile, section)
		}
	}
}
