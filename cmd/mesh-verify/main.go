// Mesh-verify measures whether a gateway splits traffic between versions as it was told, without Kubernetes.
package main

import (
	"context"
	"os"

	"github.com/mesh-split/mesh-split/verify/cli"
)

func main() {
	streams := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	os.Exit(int(cli.Main(context.Background(), os.Args[1:], streams)))
}
