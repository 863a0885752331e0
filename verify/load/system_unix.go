//go:build unix

package load

import (
	"math"
	"syscall"
	"time"
)

// processorTime is how long this process has computed, user and system, over all cores.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// descriptors is how many files this process may have open; the runtime has raised that to the hard limit already.
func descriptors() uint64 {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return math.MaxInt64
	}
	return uint64(l.Cur)
}
