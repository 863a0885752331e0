package cli

import (
	"context"
	"os"
	"regexp"
	"strings"

	"github.com/mesh-split/mesh-split/verify"
	"github.com/mesh-split/mesh-split/verify/fault"
)

// A term that is not of this form may be a secret that somebody wrote in its place, and is not shown; of others the name of the
// header is.
var (
	fieldName    = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$") // a token, RFC 9110, 5.6.2
	variableName = regexp.MustCompile("^[A-Za-z_][A-Za-z0-9_]*$")
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
	for i, term := range f.headersFromEnv {
		name, variable, _ := strings.Cut(term, "=")
		if !fieldName.MatchString(name) || !variableName.MatchString(variable) {
			return nil, fault.Usagef("write --header-from-env Authorization=TOKEN_VARIABLE, with the name of a variable",
				"--header-from-env number %d is not NAME=VARIABLE", i+1)
		}
		value, set := os.LookupEnv(variable)
		if !set {
			return nil, fault.Usagef("write --header-from-env "+name+"=VARIABLE, and export it first",
				"--header-from-env for %s: the environment variable is not set", name)
		}
		lines = append(lines, name+": "+value)
	}
	return lines, nil
}
