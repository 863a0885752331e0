// Oc measures the operating characteristics of the verdict: how often it is wrong, and how many requests it takes.
//
//	go run ./hack/oc [-runs 2000] [-seed 1]
//
// It simulates the product's own code (verify/verdict, verify/stats) on drawn counts, prints Markdown tables beside the
// reference numbers of the specification, and fails when an error rate lies more than four standard errors above alpha, or
// a mean number of requests more than four above its reference. docs/operating-characteristics.md is its output with
// -runs 20000. Every run of every cell has its own random source, made from the seed, the cell and the run's number: the
// tables do not depend on how many cores made them.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	runs := flag.Int("runs", 2000, "simulated runs per cell, 100 or more")
	seed := flag.Uint64("seed", 1, "seed of all random numbers")
	flag.Parse()
	if *runs < 100 || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "error: -runs takes 100 or more, and nothing follows the flags")
		os.Exit(2)
	}
	start := time.Now()
	w := bufio.NewWriter(os.Stdout)
	t := &tables{w: w, sim: sim{runs: *runs, seed: *seed, workers: runtime.GOMAXPROCS(0)}}
	fmt.Fprintf(w, "%d runs a cell, seed %d.\n", *runs, *seed)
	for _, part := range []func(*tables){rules, requestsToPass, offTarget, requestsToFail, cuts, monitors} {
		part(t)
		w.Flush()
	}
	fmt.Fprintf(os.Stderr, "%d runs a cell on %d cores: %s\n", *runs, t.workers, time.Since(start).Round(time.Second))
	if len(t.broken) > 0 {
		for _, b := range t.broken {
			fmt.Fprintln(os.Stderr, "error:", b)
		}
		os.Exit(1)
	}
}
