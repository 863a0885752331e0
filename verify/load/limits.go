package load

import (
	"errors"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// OwnLimits is where the generator itself fell short, so that nobody blames the far side for it.
type OwnLimits struct {
	Busy   float64 `json:"busy,omitempty"`   // part of the time, in [0, 1], that the busiest loop or all our processors worked; known at the end
	NoPort uint64  `json:"noPort,omitempty"` // connections that failed because no local port was free
	NoFile uint64  `json:"noFile,omitempty"` // and because no file descriptor was
}

// MaxBusy is the load of our own processors above which latencies include our own queue: replies wait to be read. A choice.
const MaxBusy = 0.9

// busyTime is how long a run must have been for its business to mean anything: one that sent five requests at once was busy all the
// while. A choice.
const busyTime = 100 * time.Millisecond

// ownNotes is what becomes OwnLimits.
type ownNotes struct {
	loop           atomic.Uint64 // busiest loop's part, in millionths
	cpu            atomic.Int64  // our processor time over the run, in ns
	noPort, noFile atomic.Uint64
}

// failedDial notes a dial that failed for want of something of ours.
func (n *ownNotes) failedDial(err error) {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		n.noPort.Add(1)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		n.noFile.Add(1)
	}
}

// looped notes for how long a loop ran, and how much of it it waited for something to do.
func (n *ownNotes) looped(ran, waited time.Duration) {
	if ran <= 0 {
		return
	}
	busy := uint64(1e6 * max(ran-waited, 0) / ran)
	for {
		have := n.loop.Load()
		if have >= busy || n.loop.CompareAndSwap(have, busy) {
			return
		}
	}
}

func (n *ownNotes) read(elapsed time.Duration) OwnLimits {
	out := OwnLimits{NoPort: n.noPort.Load(), NoFile: n.noFile.Load()}
	if elapsed < busyTime {
		return out
	}
	out.Busy = float64(n.loop.Load()) / 1e6
	if all := elapsed.Seconds() * float64(runtime.GOMAXPROCS(0)); all > 0 {
		out.Busy = min(1, max(out.Busy, time.Duration(n.cpu.Load()).Seconds()/all))
	}
	return out
}

// add adds what a run side by side fell short of.
func (l *OwnLimits) add(o *OwnLimits) {
	l.Busy = max(l.Busy, o.Busy)
	l.NoPort += o.NoPort
	l.NoFile += o.NoFile
}

// The remedies, in the words of people who run a generator.
const (
	RemedyPorts = "keep connections open (no --conn-requests), connect to more addresses, or widen sysctl net.ipv4.ip_local_port_range"
	RemedyFiles = "raise the limit with ulimit -n, or lower --connections"
)
