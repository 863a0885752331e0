package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// commandTime is how long a command may take to give a credential.
const commandTime = 30 * time.Second

// pipeTime is how long a command that has ended may leave its output open to what it started.
const pipeTime = time.Second

// headersFromCommands runs NAME=COMMAND terms by the shell, and gives header lines. What a command prints is a secret: it is
// in no error, nor is what it says on stderr. The first time a command may ask the person at the terminal; a renewal runs
// while load is sent, in a process group of its own, so that nothing of it outlives the run.
func headersFromCommands(ctx context.Context, terms []string, renewal bool) ([]string, error) {
	var lines []string
	for i, term := range terms {
		name, command, _ := strings.Cut(term, "=")
		if !fieldName.MatchString(name) || command == "" {
			return nil, fault.Usagef(`write --header-from-cmd 'Authorization=echo "Bearer $(get-token)"'`,
				"--header-from-cmd number %d is not NAME=COMMAND", i+1)
		}
		limited, cancel := context.WithTimeout(ctx, commandTime)
		c := shell(limited, command)
		c.WaitDelay = pipeTime
		if renewal {
			alone(c)
		}
		out, err := c.Output()
		if errors.Is(err, exec.ErrWaitDelay) {
			err = nil // it went well, and left something running that holds its output
		}
		late := limited.Err() != nil
		cancel()
		value := strings.TrimSpace(string(out))
		switch {
		case late:
			err = fmt.Errorf("not done after %v", commandTime)
		case err == nil && value == "":
			err = errors.New("it prints nothing")
		case err == nil && strings.ContainsAny(value, "\r\n"):
			err = errors.New("it prints more than one line")
		}
		if err != nil {
			return nil, fault.New(fault.Failed, "run it by hand to see what it says", "--header-from-cmd for %s: %w", name, err)
		}
		lines = append(lines, name+": "+value)
	}
	return lines, nil
}

// shell is a command line as the system's shell reads it.
func shell(ctx context.Context, command string) *exec.Cmd {
	if runtime.GOOS == "windows" {
		return exec.CommandContext(ctx, "cmd", "/c", command)
	}
	return exec.CommandContext(ctx, "sh", "-c", command)
}
