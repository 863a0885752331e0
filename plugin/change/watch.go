package change

import (
	"context"
	"sync"
	"time"

	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// vigil watches the object while its change is followed, so that a controller which sets the weights back is named instead
// of being measured.
type vigil struct {
	stop  func() // ends the watching and waits for it
	mutex sync.Mutex
	err   error // E_REVERTED, once; guarded by mutex
}

// overwritten is why the weights no longer stand, or nil.
func (v *vigil) overwritten() error {
	if v == nil {
		return nil
	}
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.err
}

// keepVigil begins to watch the patched object. The context it gives ends with ctx, and as soon as the weights are gone.
func (c *course) keepVigil(ctx context.Context) context.Context {
	following, cancel := context.WithCancel(ctx)
	watching, end := context.WithCancel(ctx)
	v := &vigil{}
	done := make(chan struct{})
	v.stop = sync.OnceFunc(func() { end(); <-done; cancel() })
	plan, at := c.plan, c.patched.At
	go func() {
		defer close(done)
		c.subject.Client.Observe(watching, c.patched.After, func(now mesh.Object) {
			err := plan.Reverted(now.Object, time.Since(at))
			if err == nil {
				return
			}
			v.mutex.Lock()
			if v.err == nil {
				v.err = err
			}
			v.mutex.Unlock()
			end()
			cancel()
		})
	}()
	c.vigil = v
	return following
}

// linger watches on for --watch-revert after all else went well.
func (c *course) linger(ctx context.Context, out outcome) outcome {
	if c.options.WatchRevert <= 0 {
		return out
	}
	timer := time.NewTimer(c.options.WatchRevert)
	defer timer.Stop()
	select {
	case <-timer.C:
		c.screen.Done("kept", "nobody set the weights back within %s", c.options.WatchRevert)
	case <-ctx.Done():
		return c.interrupted("the weights are written; nobody has set them back so far")
	}
	return out
}

// lost is the outcome of a change that somebody else wrote over. Nothing is taken back: the weights are another's now, and
// whoever set them back will do it again.
func (c *course) lost(err error) outcome {
	c.doc.Undo = ""
	c.doc.Overwritten = err.Error()
	return outcome{err: err, exit: fault.ExitCode(err)}
}
