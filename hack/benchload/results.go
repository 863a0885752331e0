package main

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
