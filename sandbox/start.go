//go:build unix

package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mesh-split/mesh-split/sandbox/internal/state"
	"github.com/mesh-split/mesh-split/sandbox/internal/wire"
)

// Start brings a sandbox up and returns when users' requests through its gateways reach the demo application. What a
// crashed sandbox left in the same folder is swept up first. If ctx ends before that, or anything fails, everything that
// was started has ended when Start returns. Afterwards ctx has no meaning; end the sandbox with [Sandbox.Down].
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	if err := clear(ctx, config.Dir); err != nil {
		return nil, err
	}
	lease, events, supervisor, err := launch(config)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	// The supervisor ends what it started when its lease closes; wait for that, so that nothing is left behind.
	abandon := func(err error) (*Sandbox, error) {
		lease.Close()
		io.Copy(io.Discard, events)
		supervisor.Wait()
		return nil, err
	}
	if err := json.NewEncoder(lease).Encode(config); err != nil {
		return abandon(err)
	}
	defer context.AfterFunc(ctx, func() { lease.Close() })()
	if err := follow(events, o.Progress); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return abandon(err)
	}
	s, err := Attach(config.Dir)
	if err != nil {
		return abandon(err)
	}
	s.reaped = make(chan struct{})
	go func() {
		supervisor.Wait() // how it ended is of no interest: its state file tells
		close(s.reaped)
	}()
	if o.Detach {
		lease.Close()
	} else {
		s.lease = lease // held until Down, or until this process ends
	}
	return s, nil
}

// clear refuses a folder whose sandbox runs, and sweeps up after one that crashed.
func clear(ctx context.Context, dir string) error {
	if found, err := state.Read(dir); err == nil && found.Running() {
		return fmt.Errorf("a sandbox runs in %s already\nhint: sandbox down --dir %s", dir, dir)
	}
	return state.Sweep(ctx, dir)
}

// launch starts a supervisor in a session of its own, so that a Ctrl-C here does not reach it past us.
func launch(config wire.Config) (lease io.WriteCloser, events io.ReadCloser, supervisor *exec.Cmd, err error) {
	if err := os.MkdirAll(filepath.Join(config.Dir, "logs"), 0o700); err != nil {
		return nil, nil, nil, err
	}
	log, err := os.Create(filepath.Join(config.Dir, "logs", "supervisor.log"))
	if err != nil {
		return nil, nil, nil, err
	}
	defer log.Close()
	supervisor = exec.Command(config.Binary, "supervise")
	supervisor.Dir, supervisor.Stderr = config.Dir, log
	supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if lease, err = supervisor.StdinPipe(); err != nil {
		return nil, nil, nil, err
	}
	if events, err = supervisor.StdoutPipe(); err != nil {
		return nil, nil, nil, err
	}
	if err := supervisor.Start(); err != nil {
		return nil, nil, nil, fmt.Errorf("starting %s: %w", config.Binary, err)
	}
	return lease, events, supervisor, nil
}

// follow passes the supervisor's progress on until it is ready.
func follow(events io.Reader, progress io.Writer) error {
	decoder := json.NewDecoder(events)
	for {
		var event wire.Event
		err := decoder.Decode(&event)
		switch {
		case errors.Is(err, io.EOF):
			return errors.New("the supervisor ended without a word\nhint: see logs/supervisor.log in the sandbox's folder")
		case err != nil:
			return fmt.Errorf("reading the supervisor's progress: %w", err)
		case event.Error != "":
			return errors.New(event.Error)
		case event.Ready:
			return nil
		case progress != nil && strings.TrimSpace(event.Text) != "":
			fmt.Fprintln(progress, event.Text)
		}
	}
}
