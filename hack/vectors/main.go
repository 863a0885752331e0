// Vectors runs files of test vectors against the code that they describe:
//
//	go run ./hack/vectors FILE...
//
// It tells the kind of a file by its shape, prints a line for each difference (case, what was computed, what was wanted) and
// ends with "N passed, M failed". The exit status is 1 when a case differs or a file is of no known kind.
package main

import (
	"fmt"
	"os"

	"github.com/mesh-split/mesh-split/hack/vectors/vector"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "error: no file named\nhint: go run ./hack/vectors testdata/vectors-*.json")
		os.Exit(2)
	}
	passed, failed := 0, 0
	for _, name := range os.Args[1:] {
		data, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		check := vector.Kind(data)
		if check == nil {
			fmt.Printf("%s: not a vector file of a known shape\n", name)
			failed++
			continue
		}
		ok, mismatches := check(data)
		for _, m := range mismatches {
			fmt.Println(m)
		}
		passed += ok
		failed += vector.Failed(mismatches)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
