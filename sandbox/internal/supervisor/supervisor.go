//go:build unix

package supervisor

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesh-split/mesh-split/sandbox/internal/pki"
	"github.com/mesh-split/mesh-split/sandbox/internal/ports"
	"github.com/mesh-split/mesh-split/sandbox/internal/process"
	"github.com/mesh-split/mesh-split/sandbox/internal/state"
	"github.com/mesh-split/mesh-split/sandbox/internal/wire"
)

// Supervisor is one sandbox while it lives.
type Supervisor struct {
	config  wire.Config
	starter *process.Starter
	pool    *ports.Pool
	ca      *pki.Authority
	tokens  tokens
	port    portMap
	envoy   string // path of the binary
	say     func(wire.Event)
	began   time.Time

	down context.CancelCauseFunc // ends the sandbox

	mu       sync.Mutex                // guards what follows, and that one fault is done at a time
	state    state.State               // as written to disk
	children map[string]*process.Child // by name
	gateways []*gateway
}

// errDown is why a sandbox ends that was told to.
var errDown = errors.New("told to go down")

// Run reads the order from lease, brings the sandbox up and serves it until it is told to end, by the control port, by a
// signal (ctx) or by the end of the lease. Everything it started has ended when it returns.
func Run(ctx context.Context, lease io.Reader, events io.WriteCloser) (err error) {
	encoder := json.NewEncoder(events)
	s := &Supervisor{starter: process.NewStarter(), children: map[string]*process.Child{}, began: time.Now(),
		say: func(e wire.Event) { encoder.Encode(e) }} // an error means that nobody listens any more
	defer events.Close()
	ctx, s.down = context.WithCancelCause(ctx)
	defer s.down(nil)

	order := json.NewDecoder(lease)
	if err := order.Decode(&s.config); err != nil {
		return fmt.Errorf("reading the order: %w", err)
	}
	ready := make(chan struct{})
	go func() {
		io.Copy(io.Discard, io.MultiReader(order.Buffered(), lease))
		select {
		case <-ready:
			if !s.config.Keep {
				return
			}
		default:
		}
		s.down(errors.New("whoever wanted this sandbox is gone"))
	}()

	unlock, err := lockDir(s.config.Dir)
	if err != nil {
		s.say(wire.Event{Error: err.Error()})
		return err
	}
	defer unlock()
	defer func() { err = errors.Join(err, s.end()) }()
	if err := s.up(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		s.say(wire.Event{Error: err.Error()})
		return err
	}
	close(ready)
	s.say(wire.Event{Ready: true})
	events.Close()
	<-ctx.Done()
	return nil
}

// lockDir makes the folder this supervisor's own. The lock is the kernel's and ends with the process.
func lockDir(dir string) (func(), error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("a sandbox runs in %s already\nhint: sandbox down --dir %s", dir, dir)
		}
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return func() { file.Close() }, nil
}

// end ends all children and forgets the sandbox. The data are of no use to the next one, so nothing is asked nicely.
func (s *Supervisor) end() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), wire.Patience)
	defer cancel()
	var wait sync.WaitGroup
	faults := make(chan error, len(s.children))
	for _, child := range s.children {
		wait.Go(func() { faults <- child.Stop(ctx, 0) })
	}
	wait.Wait()
	close(faults)
	var all []error
	for fault := range faults {
		all = append(all, fault)
	}
	for _, g := range s.gateways {
		all = append(all, g.relay.Close())
	}
	if s.pool != nil {
		s.pool.Release()
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	return state.Forget(s.config.Dir)
}

// start starts a child and writes it down.
func (s *Supervisor) start(spec process.Spec) (*process.Child, error) {
	spec.Log = filepath.Join(s.config.Dir, "logs", spec.Name+".log")
	child, err := s.starter.Start(spec)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children[spec.Name] = child
	return child, s.write()
}

// write brings the state file up to date. The caller holds mu.
func (s *Supervisor) write() error {
	s.state.Children = map[string]process.Identity{}
	for name, child := range s.children {
		if child.Alive() {
			s.state.Children[name] = child.Identity
		}
	}
	s.state.Gateways = s.state.Gateways[:0]
	for _, g := range s.gateways {
		s.state.Gateways = append(s.state.Gateways, g.state())
	}
	return s.state.Write(s.config.Dir)
}

// until calls ready every 20 ms until it says yes, and gives up when ctx ends, when a child it needs has ended, or out of
// patience. The error ends with the last lines of the child's log.
func (s *Supervisor) until(ctx context.Context, what string, child *process.Child, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, wire.Patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-child.Done():
			return fmt.Errorf("waiting for %s: %s ended: %v%s", what, child.Name, child.Err(), tail(child.Log))
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; last: %w%s", what, context.Cause(ctx), err, tail(child.Log))
		case <-tick.C:
		}
	}
}

// tail is the end of a log, for messages.
func tail(log string) string {
	data, err := os.ReadFile(log)
	if err != nil || len(data) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) > 8 {
		lines = lines[len(lines)-8:]
	}
	return "\n  " + log + " ends:\n  " + strings.Join(lines, "\n  ")
}

// progress tells what is done and how long after the start.
func (s *Supervisor) progress(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.say(wire.Event{Text: fmt.Sprintf("%6.2f s  %s", time.Since(s.began).Seconds(), text)})
}

// token is a secret of 128 bits.
func token() string {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		panic(err) // crypto/rand never fails on the systems Go supports
	}
	return fmt.Sprintf("%032x", n)
}

// seeded is a source for choosing ports; which ones come out does not matter.
func seeded() *mathrand.Rand {
	return mathrand.New(mathrand.NewPCG(mathrand.Uint64(), mathrand.Uint64()))
}
