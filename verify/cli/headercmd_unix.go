//go:build unix

package cli

import (
	"os/exec"
	"syscall"
)

// alone gives a command a process group of its own and lets its end be that of everything it started: a kill of the shell by
// itself would leave behind what the shell waits for.
func alone(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}
