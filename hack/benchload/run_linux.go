package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/hack/benchload/far"
)

// output is what a client said.
type output struct{ stdout, stderr bytes.Buffer }

func (o *output) tail() string { return tail(append(o.stdout.Bytes(), o.stderr.Bytes()...)) }

// start runs a client on its core.
func (b *bench) start(ctx context.Context, client string, j *job) (*exec.Cmd, *output, error) {
	args, stdin := arguments(client, j)
	line := append([]string{"-c", strconv.Itoa(b.clientCore)}, j.before...)
	c, said := exec.CommandContext(ctx, "taskset", append(append(line, b.tools.paths[client]), args...)...), &output{}
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &said.stdout, &said.stderr
	if client == "vegeta" && j.time == 0 {
		c.Stdout = nil // every result in binary, and nobody to read it
	}
	c.Env = append(os.Environ(), j.env...)
	return c, said, c.Start()
}

// ended is a client that has ended by itself.
type ended struct {
	*output
	peak int64 // KiB of resident memory at most
	far  far.Reading
}

// toEnd runs a client until it ends, while the far side has the settings.
func (b *bench) toEnd(ctx context.Context, client string, j *job, s far.Settings) (e ended, err error) {
	if err := b.far.Set(s); err != nil {
		return e, err
	}
	j.far = b.far.Addresses
	ctx, cancel := context.WithTimeout(ctx, forever)
	defer cancel()
	c, said, err := b.start(ctx, client, j)
	if err != nil {
		return e, err
	}
	over := make(chan error, 1)
	go func() { over <- c.Wait() }()
	watch := time.NewTicker(2 * time.Millisecond)
	defer watch.Stop()
	e.output = said
	for {
		select {
		case err = <-over:
			if err != nil {
				return e, fmt.Errorf("%s: %w: %s", client, err, said.tail())
			}
			e.far, err = b.far.Read()
			return e, err
		case <-watch.C:
			if kib := peakOf(c.Process.Pid); kib > 0 {
				e.peak = kib
			}
		}
	}
}

// peakOf is the most memory a process had resident so far, in KiB, or 0 once it has ended. The kernel's accounting of ended
// children will not do: it counts the program that started them, too.
func peakOf(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64)
	return kib
}

// report is the part of our own report that is compared.
type report struct {
	Outcomes map[string]uint64
	Versions []struct {
		Name              string
		Requests          uint64
		Service, Response *struct{ P50, P90, P99, Max float64 }
	}
	Times    struct{ Service struct{ P95 float64 } }
	Requests struct{ Sent uint64 }
	Load     struct {
		Engine   string
		Schedule *struct {
			LagP99 float64
			Behind bool
		}
	}
}

func (e *ended) report() (r report, err error) {
	if err = json.Unmarshal(e.stdout.Bytes(), &r); err != nil {
		err = fmt.Errorf("no report of ours: %w: %s", err, e.tail())
	}
	return r, err
}

// of is how many requests a version answered.
func (r *report) of(version string) uint64 {
	for i := range r.Versions {
		if r.Versions[i].Name == version {
			return r.Versions[i].Requests
		}
	}
	return 0
}
