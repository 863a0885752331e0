package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// look is the state of both sides at one moment.
type look struct {
	requests         uint64
	at               time.Duration // of the far side's clock
	client, far      time.Duration // processor time so far
	farCore, machine time.Duration // time that the far side's core, and both cores together, were not idle
}

func (b *bench) look(client int) (l look, err error) {
	r, err := b.far.Read()
	if err != nil {
		return l, fmt.Errorf("the far side ended: %w", err)
	}
	l.requests, l.at, l.far = r.Requests, time.Duration(r.Now), time.Duration(r.CPU)
	if l.client, err = processorTime(client); err != nil {
		return l, errors.New("the client ended early")
	}
	l.farCore, l.machine, err = b.busyTimes()
	return l, err
}

// measure runs a client for the warm-up and one round, and gives what lay between the two moments: what a client does to
// begin and to end is in neither.
func (b *bench) measure(ctx context.Context, client string, j *job) (Sample, error) {
	s := Sample{Client: client, Protocol: string(j.protocol), Connections: j.connections}
	if err := b.far.Set(b.settings); err != nil {
		return s, err
	}
	c, said, err := b.start(ctx, client, j)
	if err != nil {
		return s, err
	}
	end := func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	defer end()
	if err := b.awaitFirst(ctx); err != nil {
		end() // which completes what it said
		return s, fmt.Errorf("%s: %w: %s", client, err, said.tail())
	}
	var at [2]look
	for i, d := range []time.Duration{b.warmUp, b.round} {
		if err = sleep(ctx, d); err == nil {
			at[i], err = b.look(c.Process.Pid)
		}
		if err != nil {
			end()
			return s, fmt.Errorf("%s: %w: %s", client, err, said.tail())
		}
	}
	d := at[1].at - at[0].at
	n := float64(at[1].requests - at[0].requests)
	if n == 0 {
		end()
		return s, fmt.Errorf("%s: no requests in a round: %s", client, said.tail())
	}
	used := at[1].client - at[0].client
	answering := at[1].far - at[0].far
	s.Rate, s.CPU, s.FarCPU = n/d.Seconds(), used.Seconds()*1e6/n, answering.Seconds()*1e6/n
	s.FarBusy = min(1, (at[1].farCore-at[0].farCore).Seconds()/d.Seconds())
	s.Others = max(0, (at[1].machine-at[0].machine-used-answering).Seconds()/d.Seconds()/2)
	return s, nil
}

// awaitFirst waits for the first request.
func (b *bench) awaitFirst(ctx context.Context) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		r, err := b.far.Read()
		if err != nil || r.Requests > 0 {
			return err
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("no request within 10 s")
}

// processorTime is what a process has computed so far, user and system, all threads: the clock of its processor time.
func processorTime(pid int) (time.Duration, error) {
	var t syscall.Timespec
	clock := int32(^pid<<3 | 2) // MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED), linux/posix-timers_types.h
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, errno
	}
	return time.Duration(t.Nano()), nil
}

// busyTimes reads /proc/stat, whose unit is 10 ms.
func (b *bench) busyTimes() (farCore, both time.Duration, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		core, err := strconv.Atoi(strings.TrimPrefix(fields[0], "cpu"))
		if err != nil || core != b.farCore && core != b.clientCore || len(fields) < 9 {
			continue
		}
		var busy time.Duration
		for i, field := range fields[1:9] { // user nice system idle iowait irq softirq steal
			if i == 3 || i == 4 {
				continue
			}
			ticks, _ := strconv.ParseInt(field, 10, 64)
			busy += time.Duration(ticks) * 10 * time.Millisecond
		}
		both += busy
		if core == b.farCore {
			farCore = busy
		}
	}
	return farCore, both, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
