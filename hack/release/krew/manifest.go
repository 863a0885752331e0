package krew

import (
	"fmt"
	"strings"
)

// Manifest is krew's Plugin, as far as we write it.
type Manifest struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata names the plugin.
type Metadata struct {
	Name string `json:"name"`
}

// Spec says what the plugin is and where its archives are.
type Spec struct {
	Version          string     `json:"version"`
	Homepage         string     `json:"homepage"`
	ShortDescription string     `json:"shortDescription"`
	Description      string     `json:"description"`
	Caveats          string     `json:"caveats,omitempty"`
	Platforms        []Platform `json:"platforms"`
}

// Platform is one archive and the machines it is for.
type Platform struct {
	Selector Selector     `json:"selector"`
	URI      string       `json:"uri"`
	SHA256   string       `json:"sha256"`
	Bin      string       `json:"bin"`
	Files    *[]Operation `json:"files,omitempty"` // we write none: krew then takes the whole archive
}

// Selector matches machines by "os" and "arch", in Go's names.
type Selector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

// Operation moves a file of an archive.
type Operation struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Fixed parts of the manifest.
const (
	APIVersion       = "krew.googlecontainertools.github.com/v1alpha2"
	Name             = "mesh-split"
	ShortDescription = "Shift Istio canary weights and measure the split"
	description      = `Edits the weights of an Istio VirtualService or a Gateway API HTTPRoute in the
current context, waits until every ingress gateway really has them, sends a
bounded load through the gateway, counts which version answered, and says
PASS, FAIL or INCONCLUSIVE with stated error rates. Nothing is installed in the
cluster.
`
	caveats = `Reads and patches VirtualServices and HTTPRoutes, and reaches the gateways' pods
by port-forward. What your account may not do is named before a change:
  kubectl mesh-split check
`
)

// Binary is the plugin's file name on a system; kubectl finds it as "mesh-split".
func Binary(system string) string {
	if system == "windows" {
		return "kubectl-mesh_split.exe"
	}
	return "kubectl-mesh_split"
}

// Archive is one finished archive of the plugin.
type Archive struct {
	System, Arch string // in Go's names
	File         string // file name, no folder
	SHA256       string // lower case
}

// Render writes the manifest of a version. The text is made by hand rather than marshalled, for its order and its comments
// are for readers; Check reads it back.
func Render(version, repository string, archives []Archive) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by `make krew` from the archives of %s; sums are of those very files.\n", version)
	fmt.Fprintf(&b, "apiVersion: %s\nkind: Plugin\nmetadata:\n  name: %s\nspec:\n", APIVersion, Name)
	fmt.Fprintf(&b, "  version: %s\n  homepage: https://%s\n  shortDescription: %s\n", version, repository, ShortDescription)
	fmt.Fprintf(&b, "  description: |\n%s", indent(description))
	fmt.Fprintf(&b, "  caveats: |\n%s", indent(caveats))
	b.WriteString("  platforms:\n")
	for _, a := range archives {
		fmt.Fprintf(&b, "    - selector:\n        matchLabels:\n          os: %s\n          arch: %s\n", a.System, a.Arch)
		fmt.Fprintf(&b, "      uri: https://%s/releases/download/%s/%s\n", repository, version, a.File)
		fmt.Fprintf(&b, "      sha256: %s\n      bin: %s\n", a.SHA256, Binary(a.System))
	}
	return []byte(b.String())
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
