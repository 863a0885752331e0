//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Identity names one process for as long as the machine runs, and after.
type Identity struct {
	PID int `json:"pid"`
	// Started is when it started, in the system's own words; compared, never read.
	Started string `json:"started"`
}

// Identify returns the identity of a running process.
func Identify(pid int) (Identity, error) {
	started, err := startTime(pid)
	return Identity{PID: pid, Started: started}, err
}

// Alive says whether the process still runs. A process that ended but was not waited for (a zombie) is not alive.
func (i Identity) Alive() bool {
	if i.PID <= 0 || i.Started == "" {
		return false
	}
	started, err := startTime(i.PID)
	return err == nil && started == i.Started
}

// Signal sends a signal to the process if it is still the same one; a process that is gone is no error.
func (i Identity) Signal(signal syscall.Signal) error {
	if !i.Alive() {
		return nil
	}
	if err := syscall.Kill(i.PID, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("sending %v to process %d: %w", signal, i.PID, err)
	}
	return nil
}

// WaitGone returns once the process is gone, or with an error when ctx ends first.
func (i Identity) WaitGone(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i.Alive() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d still runs: %w", i.PID, context.Cause(ctx))
		case <-tick.C:
		}
	}
	return nil
}

// End asks the process to end, and after grace makes it end; with no grace it does not ask. It works for processes of any
// parent, so it can sweep up after a crash, and for frozen ones, which only SIGKILL reaches.
func (i Identity) End(ctx context.Context, grace time.Duration) error {
	if grace > 0 {
		if err := i.Signal(syscall.SIGTERM); err != nil {
			return err
		}
		patience, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if i.WaitGone(patience) == nil {
			return nil
		}
	}
	if err := i.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	return i.WaitGone(ctx)
}

// Terminate asks the process to end and does not wait.
func (i Identity) Terminate() error { return i.Signal(syscall.SIGTERM) }
