//go:build unix

package process

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func start(t *testing.T, script string) *Child {
	t.Helper()
	child, err := NewStarter().Start(Spec{Name: "child", Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"WORD=hello"},
		Log: filepath.Join(t.TempDir(), "log")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.End(context.Background(), 0) })
	return child
}

func wantEnded(t *testing.T, child *Child) {
	t.Helper()
	select {
	case <-child.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the child did not end")
	}
	if child.Alive() {
		t.Error("the child has ended and is alive")
	}
}

func TestStopAsksFirst(t *testing.T) {
	child := start(t, `trap 'echo $WORD; exit 0' TERM; echo up; while :; do sleep 0.01; done`)
	for { // the trap is set when it has spoken
		if log, _ := os.ReadFile(child.Log); len(log) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := child.Stop(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	wantEnded(t, child)
	if log, _ := os.ReadFile(child.Log); !strings.Contains(string(log), "hello") || child.Err() != nil {
		t.Errorf("it said %q and ended with %v; want hello and no error", log, child.Err())
	}
}

// Neither a child that does not listen nor a frozen one outlives its grace.
func TestStopInsists(t *testing.T) {
	deaf := start(t, `trap '' TERM; while :; do sleep 0.01; done`)
	if err := deaf.Stop(t.Context(), 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	wantEnded(t, deaf)
	frozen := start(t, `while :; do sleep 0.01; done`)
	if err := frozen.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := frozen.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	wantEnded(t, frozen)
}

// A process id alone is not an identity: nothing is sent to a process that started at another time.
func TestIdentityOfAnother(t *testing.T) {
	child := start(t, `while :; do sleep 0.01; done`)
	other := Identity{PID: child.PID, Started: "another time"}
	if other.Alive() {
		t.Error("another start time is taken for the same process")
	}
	if err := other.End(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if !child.Alive() {
		t.Error("a process was ended by another one's identity")
	}
	for _, nobody := range []Identity{{}, {PID: child.PID}, {PID: -1, Started: "x"}} {
		if nobody.Alive() {
			t.Errorf("%+v is alive", nobody)
		}
	}
}
