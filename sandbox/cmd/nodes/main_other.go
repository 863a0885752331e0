//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "error: nodes needs Linux: namespaces, control groups, containerd\nhint: the loopback sandbox runs here: make sandbox")
	os.Exit(1)
}
