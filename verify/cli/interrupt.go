package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Interruptible gives a context that the first Ctrl-C or SIGTERM cancels, so that the caller drains and reports, and a
// channel that the second one closes, so that it gives up what is in flight. Release must be called at the end.
func Interruptible(parent context.Context) (ctx context.Context, abort <-chan struct{}, release func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	second, over := make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-signals:
			cancel(context.Canceled)
		case <-over:
			return
		}
		select {
		case <-signals:
			close(second)
		case <-over:
		}
	}()
	return ctx, second, func() {
		signal.Stop(signals)
		close(over)
		<-done
		cancel(nil)
	}
}
