//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "error: benchload needs Linux: it pins processes to cores")
	os.Exit(1)
}
