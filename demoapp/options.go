package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"
)

// options is what the command line and the environment said, checked.
type options struct {
	version     string        // label of this build, sent as x-app-version
	destination string        // where it runs, sent as x-app-destination; empty sends no such header
	listen      string        // host:port of the application
	admin       string        // host:port of the admin port; empty for none
	drainDelay  time.Duration // how long to go on serving after SIGTERM
	check       string        // URL to ask instead of serving; empty to serve
}

// usageError is a wrong flag; main ends with status 2 for it.
type usageError struct{ error }

// errHelp says that the help was asked for and shown.
var errHelp = errors.New("help shown")

// label is what a version or a destination may look like: it goes into a header, a page and a script as it is, so it
// holds nothing that would need escaping there. It is also what Kubernetes accepts as a label value.
var label = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// parseOptions reads args, with getenv for the flags that were not given. Help and usage go to stderr.
func parseOptions(args []string, getenv func(string) string, stderr io.Writer) (options, error) {
	env := func(name, fallback string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return fallback
	}
	delay, err := time.ParseDuration(env("APP_DRAIN_DELAY", "0s"))
	if err != nil {
		return options{}, usageError{fmt.Errorf("APP_DRAIN_DELAY: %w", err)}
	}
	var o options
	flags := flag.NewFlagSet("demoapp", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.version, "version", env("APP_VERSION", "v1"), "version to say, in header x-app-version")
	flags.StringVar(&o.destination, "destination", env("APP_DESTINATION", ""),
		"destination to say, in header x-app-destination: prod or stage")
	flags.StringVar(&o.listen, "listen", env("APP_LISTEN", ":8080"), "address of the application; port 0 picks a free one")
	flags.StringVar(&o.admin, "admin", env("APP_ADMIN", ""),
		"address of the admin port with faults and counts; empty for none; never route users to it")
	flags.DurationVar(&o.drainDelay, "drain-delay", delay, "how long to go on serving after SIGTERM")
	flags.StringVar(&o.check, "check", "", "do not serve: ask this URL until --version answers, at most 30 s")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return options{}, errHelp
	} else if err != nil {
		return options{}, usageError{err}
	}
	return o, o.validate(flags.Args())
}

// validate reports every fault it sees at once.
func (o options) validate(rest []string) error {
	var faults []error
	if !label.MatchString(o.version) {
		faults = append(faults, fmt.Errorf("--version %q is not a label such as v1", o.version))
	}
	if o.destination != "" && !label.MatchString(o.destination) {
		faults = append(faults, fmt.Errorf("--destination %q is not a label such as prod", o.destination))
	}
	if o.drainDelay < 0 {
		faults = append(faults, fmt.Errorf("--drain-delay %v is negative", o.drainDelay))
	}
	if len(rest) > 0 {
		faults = append(faults, fmt.Errorf("unexpected argument %q", rest[0]))
	}
	if err := errors.Join(faults...); err != nil {
		return usageError{err}
	}
	return nil
}
