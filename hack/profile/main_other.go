//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "error: the far side of the benchmark is for Linux")
	os.Exit(1)
}
