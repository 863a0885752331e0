//go:build linux

package nodes

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Options say what to start. Only Programs and Repository have no default.
type Options struct {
	// Name names the run: its network namespace, control groups and folder. Runs of different names do not meet.
	Name string
	// Dir is the folder of all the run's data; default /var/lib/mesh-split/NAME. Its file system must carry overlayfs.
	Dir string
	// Programs is the folder of the built programs that Needed lists.
	Programs string
	// Repository is the folder with charts/ and istio-config/.
	Repository string
	// Gateways is the number of ingress gateway pods; default 2.
	Gateways int
	// Progress gets one line per finished phase; nil is silence.
	Progress io.Writer
}

// DefaultName is the name of a run that was given none.
const DefaultName = "mesh-split"

// validName keeps the run's name fit for a namespace, a control group, and unix sockets, whose paths end at 108 bytes.
var validName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// Built are the programs and files in Options.Programs, and packages are the Debian packages' programs by package.
var (
	Built = []string{"nodes", "kubectl", "istioctl", "helm", "demoapp", "pilot-discovery", "pilot-agent", "coredns", "pause",
		"envoy_bootstrap.json"}
	packages = map[string][]string{
		"containerd": {"containerd", "ctr"}, "runc": {"runc"}, "iproute2": {"ip"}, "iptables": {"iptables", "xtables-legacy-multi"},
		"util-linux": {"nsenter"}, "containernetworking-plugins": {cniPlugins + "/bridge", cniPlugins + "/host-local", cniPlugins + "/loopback"},
	}
)

// cniPlugins is where Debian puts them.
const cniPlugins = "/usr/lib/cni"

// complete fills in defaults and says everything that is missing at once.
func (o *Options) complete() error {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if !validName.MatchString(o.Name) {
		return fmt.Errorf("name %q is not lower-case letters, digits and dashes, at most 32", o.Name)
	}
	if o.Dir == "" {
		o.Dir = DefaultDir(o.Name)
	}
	if o.Gateways == 0 {
		o.Gateways = 2
	}
	var faults []error
	for _, path := range []*string{&o.Dir, &o.Programs, &o.Repository} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	if strings.HasPrefix(o.Dir, "/run/") {
		faults = append(faults, errors.New("the folder may not be under /run: the node has a /run of its own"))
	}
	for _, name := range Built {
		if _, err := os.Stat(filepath.Join(o.Programs, name)); err != nil {
			faults = append(faults, fmt.Errorf("%w\nhint: make nodes", err))
		}
	}
	return errors.Join(append(faults, Missing())...)
}

// DefaultDir is the folder of a run that was given none.
func DefaultDir(name string) string { return filepath.Join("/var/lib/mesh-split", name) }

// Missing says what this machine lacks to run nodes; nil if nothing.
func Missing() error {
	var faults []error
	if os.Geteuid() != 0 {
		faults = append(faults, errors.New("nodes need root: they make namespaces, mounts and control groups"))
	}
	var install []string
	for name, programs := range packages {
		for _, program := range programs {
			if _, err := exec.LookPath(program); err != nil {
				install = append(install, name)
				break
			}
		}
	}
	if len(install) > 0 {
		faults = append(faults, fmt.Errorf("missing packages\nhint: apt-get install --no-install-recommends %s", strings.Join(install, " ")))
	}
	return errors.Join(faults...)
}

// say tells of a finished phase.
func (o *Options) say(format string, args ...any) {
	if o.Progress != nil {
		fmt.Fprintf(o.Progress, format+"\n", args...)
	}
}
