//go:build !unix

package cli

import "os/exec"

// alone has no meaning here: the shell is killed, and what it started is not waited for.
func alone(*exec.Cmd) {}
