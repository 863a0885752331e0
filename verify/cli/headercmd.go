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

// headersFromCommands runs NAME=COMMAND terms by the shell, and gives header lines. What a command prints is a secret: it is
// in no error, nor is what it says on stderr.
func headersFromCommands(ctx context.Context, terms []string) ([]string, error) {
	var lines []string
	for _, term := range terms {
		name, command, ok := strings.Cut(term, "=")
		if !ok || name == "" || command == "" {
			return nil, fault.Usagef(`write --header-from-cmd 'Authorization=echo "Bearer $(get-token)"'`, "--header-from-cmd %q is not NAME=COMMAND", term)
		}
		limited, cancel := context.WithTimeout(ctx, commandTime)
		out, err := shell(limited, command).Output()
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
