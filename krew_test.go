package meshsplit_test

import (
	"os"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/hack/release/krew"
)

// The index takes the file as it stands, under the plugin's name. Whether its sums are those of the archives is for `make
// krew` to make true and for the release to try; here its form is held.
func TestKrewManifest(t *testing.T) {
	text, err := os.ReadFile("krew-manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := krew.Check(krew.Name, text)
	if err != nil {
		t.Errorf("krew-manifest.yaml:\n%v", err)
	}
	if manifest.Spec.ShortDescription != krew.ShortDescription {
		t.Errorf("shortDescription is %q, want %q", manifest.Spec.ShortDescription, krew.ShortDescription)
	}
	// A real sum of a real file has no pattern; a placeholder has.
	sums := map[string]bool{}
	for _, p := range manifest.Spec.Platforms {
		if sums[p.SHA256] || strings.Count(p.SHA256, p.SHA256[:1]) > 32 {
			t.Errorf("sha256 %s of %s is repeated or made up", p.SHA256, p.URI)
		}
		sums[p.SHA256] = true
	}
	module, _, _ := strings.Cut(strings.TrimPrefix(read(t, "go.mod"), "module "), "\n")
	if want := "https://" + module; manifest.Spec.Homepage != want {
		t.Errorf("homepage is %q, want the module's %q", manifest.Spec.Homepage, want)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
