//go:build linux

package nodes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/mesh-split/mesh-split/sandbox/internal/process"
)

// Start makes a cluster with the mesh and the demo on it, and returns when both versions answer through the gateways. It
// survives the caller. When Start fails, what was made is left for inspection; Down removes it.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	if s, err := readState(o.Dir); err == nil && s.Init.Alive() {
		return nil, fmt.Errorf("%s runs already\nhint: nodes down --name %s", o.Name, o.Name)
	}
	if err := Down(ctx, o.Dir); err != nil { // after a crash
		return nil, fmt.Errorf("sweeping up after the last run: %w", err)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	c := &Cluster{dir: o.Dir, state: &State{Name: o.Name, Programs: o.Programs}}
	if err := c.state.write(o.Dir); err != nil {
		return nil, err
	}
	for _, phase := range []struct {
		done string
		do   func(context.Context, *Options) error
	}{
		{"node        namespaces, containerd and Kubernetes' daemons started", c.startNode},
		{"images      packed without Docker and imported", c.images},
		{"kubernetes  the node is Ready", c.nodeReady},
		{"mesh        Istio installed by istioctl", c.installMesh},
		{"demo        both releases installed by Helm, sidecars injected", c.installDemo},
		{"gateways    both versions answer through the node port", c.gatewaysReady},
	} {
		began := time.Now()
		if err := phase.do(ctx, &o); err != nil {
			return nil, err
		}
		o.say(" ✓ %s (%.1f s)", phase.done, time.Since(began).Seconds())
	}
	c.state.Ready = true
	return c, c.state.write(o.Dir)
}

// startNode makes the namespaces and has their first process start all daemons.
func (c *Cluster) startNode(_ context.Context, o *Options) error {
	if err := writeAccess(o.Dir, time.Now()); err != nil {
		return err
	}
	if err := writePlan(o); err != nil {
		return err
	}
	if err := makeCgroups(o.Name); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(o.Dir, "log", "init.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	init := exec.Command(filepath.Join(o.Programs, "nodes"), "init", o.Dir)
	init.Dir, init.Stdout, init.Stderr = "/", log, log
	init.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: namespaces}
	start, err := init.StdinPipe()
	if err != nil {
		return err
	}
	if err := init.Start(); err != nil {
		return fmt.Errorf("starting the node's first process: %w", err)
	}
	go init.Wait() // it would stay a zombie if it ended before we do
	if c.state.Init, err = process.Identify(init.Process.Pid); err != nil {
		return err
	}
	if err := c.state.write(o.Dir); err != nil {
		return err
	}
	if err := nameNamespace(o.Name, init.Process.Pid); err != nil {
		return err
	}
	_, err = start.Write([]byte("go\n"))
	return err
}

// images waits for containerd and imports the images.
func (c *Cluster) images(ctx context.Context, o *Options) error {
	err := until(ctx, "containerd", time.Minute, func(ctx context.Context) error {
		out, err := exec.CommandContext(ctx, "ctr", "--address", socket(c.dir), "version").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.importImages(ctx, o)
}

// Down ends the cluster in dir and removes everything it made, whatever state it is in; an empty or missing folder is
// none. It ends exactly one process, by the id and start time that were written down: the kernel ends the others.
func Down(ctx context.Context, dir string) error {
	s, err := readState(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.Init.End(patience, 0); err != nil {
		return err
	}
	if err := errors.Join(forgetNamespace(s.Name), removeCgroups(s.Name)); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// together does things side by side, waits for all of them and gives all their errors.
func together(work ...func() error) error {
	faults := make([]error, len(work))
	var all sync.WaitGroup
	for i, do := range work {
		all.Go(func() { faults[i] = do() })
	}
	all.Wait()
	return errors.Join(faults...)
}

// until calls ready four times a second until it says yes, and gives up when ctx ends or out of patience.
func until(ctx context.Context, what string, patience time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; last: %w", what, context.Cause(ctx), err)
		case <-tick.C:
		}
	}
}
