// Pictures draws docs/pictures from real runs through a gateway:
//
//	bin/sandbox up --gateways 2 --weights 70/30        # prints the gateway's URL
//	go run ./hack/pictures narrowing http://127.0.0.1:PORT/ v1=70,v2=30
//	bin/sandbox fault latency v2 20ms                  # a slow canary at 10 %
//	go run ./hack/pictures cut http://127.0.0.1:PORT/ v1=90,v2=10
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/load"
	"github.com/mesh-split/mesh-split/verify/stats"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: pictures narrowing|cut URL SPLIT")
		os.Exit(2)
	}
	split, err := verify.ParseSplit(os.Args[3])
	if err == nil {
		switch os.Args[1] {
		case "narrowing":
			err = narrowing(os.Args[2], split)
		case "cut":
			err = cut(os.Args[2], split)
		default:
			err = fmt.Errorf("no picture %q", os.Args[1])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// moment is what was known of the last version's share after so many requests.
type moment struct{ requests, share, low, high float64 }

// narrowing records a whole verification: how the interval closes in on the target until the verdict stands.
func narrowing(address string, split verify.Split) error {
	k := split.Len()
	shares := make([]float64, k)
	for i, name := range split.Names() {
		shares[i] = split.Share(name)
	}
	var path []moment
	report, err := verify.Run(context.Background(), verify.Config{URL: address, Target: split, Progress: func(p verify.Progress) {
		if p.Evidence < 20 {
			return
		}
		counts := make([]uint64, k)
		for i := range counts {
			counts[i] = uint64(p.Shares[i]*float64(p.Evidence) + 0.5)
		}
		intervals := make([][2]float64, k)
		stats.Multinomial(intervals, counts, shares, 0.05)
		path = append(path, moment{float64(p.Evidence), p.Shares[k-1], intervals[k-1][0], intervals[k-1][1]})
	}})
	if err != nil {
		return err
	}
	last := report.Versions[k-1]
	title := fmt.Sprintf("%s at %.0f %%: %s after %d requests", last.Name, 100*shares[k-1], report.Verdict, report.Requests.Evidence)
	return write("docs/pictures/narrowing.svg", drawNarrowing(title, shares[k-1], *last.Tolerance, path))
}

// bar is one way to count.
type bar struct {
	name  string
	share float64
}

// cut counts one closed-loop run of 5000 requests on 256 connections twice: at the moment when the last request has been
// sent, as tools do that stop at a deadline, and after every reply has been awaited.
func cut(address string, split verify.Split) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	request, err := load.BuildRequest(load.RequestOptions{Path: "/", Host: u.Host})
	if err != nil {
		return err
	}
	const requests = 5000
	p := &load.Plan{Request: request, Addresses: []string{u.Host}, Connections: 256, MaxRequests: requests}
	r := load.NewRecorder(split.Names(), p)
	r.BeginEvidence()
	over := make(chan error, 1)
	go func() { over <- load.Auto(p).Run(context.Background(), p, r) }()
	for r.Sent() < requests {
		time.Sleep(50 * time.Microsecond)
	}
	atCut := shareOfLast(r.Snapshot())
	if err := <-over; err != nil {
		return err
	}
	bars := []bar{
		{"told", split.Share(split.Names()[split.Len()-1])},
		{"counted at the last request", atCut},
		{"after every reply", shareOfLast(r.Snapshot())},
	}
	for _, b := range bars {
		fmt.Printf("%-30s %.2f %%\n", b.name, 100*b.share)
	}
	return write("docs/pictures/cut.svg", drawBars("a slow v2: its share of 5000 requests on 256 connections", bars))
}

func shareOfLast(s load.Snapshot) float64 {
	var all, last uint64
	for _, v := range s.Versions {
		all, last = all+v.Requests, v.Requests
	}
	return float64(last) / float64(all)
}

func write(path, svg string) error {
	fmt.Println("wrote", path)
	return os.WriteFile(path, []byte(svg), 0o644)
}
