//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Spec says how to start a child.
type Spec struct {
	Name string   // what it is called in logs and messages
	Path string   // the program
	Args []string // without the program's name
	Env  []string // added to the supervisor's own environment
	Dir  string   // working directory
	Log  string   // file that gets its output, appended to
}

// Child is a running or ended child.
type Child struct {
	Identity
	Name string
	Log  string
	done chan struct{} // closed when it has ended and was waited for
	err  error         // how it ended; read after done
}

// Starter starts children from one thread. The zero value is not usable; see [NewStarter].
type Starter struct{ requests chan func() }

// NewStarter returns a Starter; its thread lives until the program ends, since the children live as long as the thread.
// https://github.com/golang/go/issues/27505
func NewStarter() *Starter {
	s := &Starter{requests: make(chan func())}
	go s.serve()
	return s
}

// Start starts a child.
func (s *Starter) Start(spec Spec) (*Child, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = spec.Dir, log, log, attributes()
	started := make(chan error)
	s.requests <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", spec.Name, err)
	}
	identity, err := Identify(cmd.Process.Pid)
	if err != nil { // it has ended already; its end is told by Done
		identity = Identity{PID: cmd.Process.Pid}
	}
	child := &Child{Identity: identity, Name: spec.Name, Log: spec.Log, done: make(chan struct{})}
	go func() {
		child.err = cmd.Wait()
		close(child.done)
	}()
	return child, nil
}

// Done is closed when the child has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err says how the child ended; nil while it runs and after a clean end.
func (c *Child) Err() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Stop ends the child: SIGTERM, then SIGKILL after grace; with no grace SIGKILL at once. It returns when the child was
// waited for, so its ports are free.
func (c *Child) Stop(ctx context.Context, grace time.Duration) error {
	if err := c.End(ctx, grace); err != nil {
		return fmt.Errorf("ending %s: %w", c.Name, err)
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ending %s: %w", c.Name, context.Cause(ctx))
	}
}

// Freeze stops the child in its tracks: its sockets stay open and nobody answers. Thaw undoes it.
func (c *Child) Freeze() error { return c.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen child go on.
func (c *Child) Thaw() error { return c.Signal(syscall.SIGCONT) }
