//go:build unix

package load

import (
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
