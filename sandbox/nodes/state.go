//go:build linux

package nodes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mesh-split/mesh-split/sandbox/internal/process"
)

// State is DIR/state.json: what must be removed, written before it is made.
type State struct {
	Name string `json:"name"`
	// Init is the first process of the run's namespaces; its zero value means that it was not started yet.
	Init process.Identity `json:"init"`
	// Ready is set when the cluster and the mesh serve.
	Ready bool `json:"ready"`
	// NodePort is where both gateways answer, on the node's address.
	NodePort int `json:"nodePort"`
	// Programs is the folder of the programs that the run was started with.
	Programs string `json:"programs"`
}

const stateFile = "state.json"

func readState(dir string) (*State, error) {
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return nil, err
	}
	var s State
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Join(dir, stateFile), err)
	}
	if !validName.MatchString(s.Name) { // it becomes part of paths that Down removes
		return nil, fmt.Errorf("%s: name %q is none of a run", filepath.Join(dir, stateFile), s.Name)
	}
	return &s, nil
}

// write replaces the state in one step: a reader sees the old or the new, never half.
func (s *State) write(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temporary := filepath.Join(dir, stateFile+".new")
	if err := os.WriteFile(temporary, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(dir, stateFile))
}

// ErrNotRunning says that there is no running cluster in the folder.
var ErrNotRunning = errors.New("no cluster runs here")

// Attach finds the running cluster in dir.
func Attach(dir string) (*Cluster, error) {
	s, err := readState(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !s.Init.Alive() {
		return nil, fmt.Errorf("%w: %s\nhint: nodes up", ErrNotRunning, dir)
	}
	if err != nil {
		return nil, err
	}
	return &Cluster{dir: dir, state: s}, nil
}
