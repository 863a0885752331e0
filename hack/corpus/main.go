// Corpus prints the cases of testdata/corpus/cases.json with their sketches made whole, as one JSON list: what the tests on a real
// API server, istiod and Envoy apply and check.
//
//	go run ./hack/corpus testdata/corpus/cases.json
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/mesh-split/mesh-split/hack/corpus/sketch"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "error: name one file\nhint: go run ./hack/corpus testdata/corpus/cases.json")
		os.Exit(2)
	}
	data, err := os.ReadFile(os.Args[1])
	if err == nil {
		var cases []sketch.Case
		if cases, err = sketch.Parse(data); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(cases)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
