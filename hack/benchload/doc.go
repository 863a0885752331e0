// Benchload measures both programs of this repository's load engine side by side with the tools people use today, and writes
// docs/benchmarks/load.md, its picture and the raw rounds beside it:
//
//	make bench-load                                        # some 15 minutes
//	make bench-load BENCH='--round 5s --warm-up 1s'        # the same with longer rounds, 40 minutes
//	go run ./hack/benchload --rounds 2 --round 1s --out X  # a trial
//
// It installs what is missing and can be installed, starts one far side for all tools (package far), and runs one client at
// a time, the far side on one core and the client on another. It needs Linux, two cores and taskset. What is absent is said,
// on the screen and in the table.
//
// The one subtle point is what is divided by what: every ratio is taken within one round, between runs that followed each
// other on the same machine in the same minute, and the median over the rounds is shown. Requests are counted by the far
// side, never by the tool. Where the far side was the slower part, requests per second say nothing about the client; then
// processor time per request decides, and the table says so.
package main
