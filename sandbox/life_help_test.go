//go:build unix

package sandbox_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mesh-split/mesh-split/sandbox"
)

// binary is the program under test.
func binary() string {
	if given := os.Getenv("SANDBOX_BIN"); given != "" {
		return given
	}
	return filepath.Join("..", "bin", "sandbox")
}

// foreground starts `sandbox up --foreground` and returns when it is up.
func foreground(t *testing.T, dir string) (*exec.Cmd, *sandbox.Sandbox) {
	t.Helper()
	program := exec.Command(binary(), "up", "--foreground", "--dir", dir)
	out, err := program.StdoutPipe()
	must(t, err)
	program.Stderr = os.Stderr
	must(t, program.Start())
	t.Cleanup(func() { program.Process.Kill() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "sandbox is up") {
			s, err := sandbox.Attach(dir)
			must(t, err)
			return program, s
		}
	}
	t.Fatal("the sandbox did not come up")
	return nil, nil
}

// supervisorOf reads the supervisor's id from the state file.
func supervisorOf(t *testing.T, dir string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "state.json"))
	must(t, err)
	var found struct{ Supervisor struct{ PID int } }
	must(t, json.Unmarshal(data, &found))
	return found.Supervisor.PID
}
