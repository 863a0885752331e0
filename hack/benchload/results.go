package main

import "math"

// Results are everything that was measured, as docs/benchmarks/load.json holds it. A stage that runs again replaces its own
// part; the page is drawn from this alone.
type Results struct {
	Machine  Machine
	Versions map[string]string   // by client
	Commands map[string][]string // of the speed runs over plain TCP, by client; addresses left out
	Absent   []string
	Rounds   int
	Round    float64 // seconds
	WarmUp   float64
	Samples  []Sample
	Costs    []Cost
	CallsBy  string // what counted system calls; empty: nothing
	Pacing   []Pacing
	Pauses   []Pause
	Stops    []Stop
	Counts   []Count
	Memory   []Memory
}

// Machine is where it was measured.
type Machine struct {
	Processor string
	Cores     int
	Kernel    string
	Go        string
	Day       string
	Load      string // the load averages before the first run
}

// Sample is one client in one round.
type Sample struct {
	Client      string
	Protocol    string
	Connections int
	Round       int
	Rate        float64 // requests per second, counted by the far side
	CPU         float64 // µs of processor time a request, user and system, of the client
	FarCPU      float64 // the same of the far side
	FarBusy     float64 // share of the round in which the far side's core was not idle
	Others      float64 // share of both cores that neither side used, and yet was used: other programs, and interrupts
}

// Cost is what a client asks of kernel and collector for a request.
type Cost struct {
	Client    string
	Calls     float64 // system calls; 0: not measured
	HasOctets bool    // its runtime tells what was allocated
	Octets    float64 // of heap
}

// Pacing is how well a client kept 1000 requests a second over 64 connections.
type Pacing struct {
	Client           string
	Error50, Error99 float64 // seconds between the arrival of a request and its place in an even schedule
	Rate             float64 // requests per second
}

// Pause is what a client said of 10 s in which the far side was frozen for one: p99 in seconds, by its main figure.
type Pause struct {
	Client    string
	P99       float64
	Service95 float64 // ours says beside it what the far side took once asked; 0: the client has no such figure
}

// Stop is what a client counted of a slow v2 that answers one request in ten.
type Stop struct {
	Client       string
	Counted, V2  uint64
	FarV1, FarV2 uint64 // replies written
}

// stopShare is v2's true share.
const stopShare = 0.1

// Share is what the client counted of v2.
func (s *Stop) Share() float64 { return float64(s.V2) / float64(s.Counted) }

// Sigmas is how far that is from the truth, in standard deviations of drawing so many.
func (s *Stop) Sigmas() float64 {
	return math.Abs(s.Share()-stopShare) / math.Sqrt(stopShare*(1-stopShare)/float64(s.Counted))
}

// Count is what an engine counted beside what the far side did.
type Count struct {
	Engine, Protocol          string
	Outcomes                  map[string]uint64
	Sent, V1, V2              uint64
	FarRequests, FarV1, FarV2 uint64
}

// Equal says whether they agree to the last request.
func (c *Count) Equal() bool {
	return c.Sent == c.FarRequests && c.V1 == c.FarV1 && c.V2 == c.FarV2 && c.Outcomes["answered"] == c.Sent
}

// Memory is the most that a client had resident.
type Memory struct {
	Client, Protocol string
	Requests         uint64
	MiB              float64
}
