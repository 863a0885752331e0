package cli

import (
	"context"
	"os"
	"strings"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// credentials collects the header, with what the environment and commands say; the commands can be asked again.
func (f *LoadFlags) credentials(c *verify.Config) error {
	lines, err := f.header()
	if err != nil {
		return err
	}
	all := func(ctx context.Context, renewal bool) ([]string, error) {
		more, err := headersFromCommands(ctx, f.headersFromCmd, renewal)
		return append(lines[:len(lines):len(lines)], more...), err
	}
	c.Header, err = all(context.Background(), false)
	if len(f.headersFromCmd) > 0 {
		c.RenewHeader = func(ctx context.Context) ([]string, error) { return all(ctx, true) }
	}
	return err
}

func (f *LoadFlags) header() ([]string, error) {
	var lines []string
	if f.file != nil {
		lines = append(lines, f.file.header...)
	}
	lines = append(lines, f.headers...)
	for _, term := range f.headersFromEnv {
		name, variable, ok := strings.Cut(term, "=")
		if !ok || name == "" || variable == "" {
			return nil, fault.Usagef("write --header-from-env Authorization=TOKEN_VARIABLE", "--header-from-env %q is not NAME=VARIABLE", term)
		}
		value, set := os.LookupEnv(variable)
		if !set {
			return nil, fault.Usagef("export it first", "--header-from-env: environment variable %s is not set", variable)
		}
		lines = append(lines, name+": "+value)
	}
	return lines, nil
}
