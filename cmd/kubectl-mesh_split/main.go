// Command kubectl-mesh_split is the kubectl plugin `kubectl mesh-split`. Through a link named kubectl_complete-mesh_split it
// completes command lines.
package main

import (
	"context"
	"os"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // exec and OIDC credentials of kubeconfigs

	"github.com/mesh-split/mesh-split/plugin"
)

func main() {
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	os.Exit(int(plugin.Main(context.Background(), os.Args, streams)))
}
