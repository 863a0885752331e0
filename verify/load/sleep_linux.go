package load

import (
	"syscall"
	"time"
)

// preciseSleep sleeps to some 50 µs, the kernel's timer slack.
func preciseSleep(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // EINTR: the caller looks at the clock again
}
