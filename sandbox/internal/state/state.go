//go:build unix

// Package state is the sandbox's memory on disk: DIR/state.json, written by the supervisor, read by everybody else.
//
// It answers "what runs here, and how is it reached?" and, after a crash, "what must be swept up?". The file holds the
// secret of the supervisor's control port, so only its owner may read it.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/mesh-split/mesh-split/sandbox/internal/process"
)

// State is one sandbox.
type State struct {
	Supervisor process.Identity            `json:"supervisor"`
	Children   map[string]process.Identity `json:"children"` // by name; running ones only
	Ready      bool                        `json:"ready"`    // false while it comes up
	Control    string                      `json:"control"`  // host:port of the supervisor's control port
	Token      string                      `json:"token"`    // its bearer token
	Kubeconfig string                      `json:"kubeconfig"`
	APIServer  string                      `json:"apiServer"`  // URL
	GatewayURL string                      `json:"gatewayURL"` // where users' requests go
	Gateways   []Gateway                   `json:"gateways"`
	Apps       []App                       `json:"apps"`
	Istiod     Istiod                      `json:"istiod"`
}

// Gateway is one ingress gateway.
type Gateway struct {
	Pod      string `json:"pod"`      // Pod object in istio-system
	AdminURL string `json:"adminURL"` // Envoy's admin port
	Stale    bool   `json:"stale"`    // its xDS stream is held
	Frozen   bool   `json:"frozen"`
	Running  bool   `json:"running"`
}

// App is one version of the demo application.
type App struct {
	Version     string `json:"version"`     // v1, v2
	Destination string `json:"destination"` // prod, stage
	Host        string `json:"host"`        // in the VirtualService
	URL         string `json:"url"`
	AdminURL    string `json:"adminURL"`
}

// Istiod is where istiod listens.
type Istiod struct {
	DebugURL   string `json:"debugURL"`   // /debug/… and /ready
	MonitorURL string `json:"monitorURL"` // /metrics
}

// file is the state's name in the sandbox's folder.
const file = "state.json"

// Read reads the state of the sandbox in dir. Where there is none, the error is fs.ErrNotExist.
func Read(dir string) (*State, error) {
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return nil, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(dir, file), err)
	}
	return &s, nil
}

// Write replaces the state in one step: a reader sees the old or the new, never half.
func (s *State) Write(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temporary := filepath.Join(dir, file+".new")
	if err := os.WriteFile(temporary, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(dir, file))
}

// Running says whether the supervisor lives.
func (s *State) Running() bool { return s.Supervisor.Alive() }

// Sweep ends whatever the state in dir still names, supervisor first so that it starts nothing more, and removes the state.
// A folder without a state is swept already. It ends only processes whose start time is the recorded one.
func Sweep(ctx context.Context, dir string) error {
	s, err := Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	faults := []error{s.Supervisor.End(ctx, 0)}
	for name, child := range s.Children {
		if err := child.End(ctx, 0); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	return Forget(dir)
}

// WaitStopped returns once the sandbox in dir has removed its state, or with an error after patience.
func WaitStopped(ctx context.Context, dir string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s, err := Read(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Supervisor.WaitGone(ctx)
}

// Forget removes the state of a sandbox that has ended, and its data; the logs stay for whoever asks what went wrong.
func Forget(dir string) error {
	faults := []error{}
	for _, name := range []string{"etcd", "pki", "istiod", "envoy", "kubeconfig", file} { // the state last: a crash in between sweeps again
		faults = append(faults, os.RemoveAll(filepath.Join(dir, name)))
	}
	return errors.Join(faults...)
}
