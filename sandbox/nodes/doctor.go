//go:build linux

package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// namespaces are those the node has for itself.
const namespaces = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS

// Doctor says whether this machine can run nodes, before minutes go into building them: it looks for the packages, and then
// does once what a node does, in namespaces that end with the try. A container without privileges has root and every
// package, and is refused the first mount. A nil error means that nothing known stands in the way.
func Doctor(ctx context.Context) error {
	if err := Missing(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(DefaultDir(DefaultName)), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(DefaultDir(DefaultName)), "doctor-") // overlayfs depends on the file system
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Base(dir)
	if err := makeCgroups(name); err != nil {
		return errors.Join(fmt.Errorf("control groups: %w", err), removeCgroups(name))
	}
	if err := removeCgroups(name); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	try := exec.CommandContext(ctx, self, "try", dir)
	try.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: namespaces}
	var said bytes.Buffer
	try.Stderr = &said
	if err := try.Run(); err != nil {
		if said.Len() > 0 {
			err = errors.New(strings.TrimSpace(said.String()))
		}
		return fmt.Errorf("this machine lets nobody make a node: %w\nhint: a container needs --privileged", err)
	}
	return nil
}

// Try does once, in namespaces of its own, what makes a node: mounts, a bridge, an overlay, and the rules by which services
// and sidecars lead traffic. What it makes ends with its process.
func Try(dir string) error {
	if err := mounts(dir); err != nil {
		return err
	}
	if err := network(); err != nil {
		return err
	}
	layers := map[string]string{}
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		layers[name] = filepath.Join(dir, name)
		if err := os.Mkdir(layers[name], 0o700); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", layers["lower"], layers["upper"], layers["work"])
	if err := unix.Mount("overlay", layers["merged"], "overlay", 0, options); err != nil {
		return fmt.Errorf("mounting an overlay in %s: %w", filepath.Dir(dir), err)
	}
	for _, command := range []string{
		"ip link add try0 type veth peer name try1",
		"iptables -t nat -A POSTROUTING -m comment --comment try -m conntrack --ctstate NEW -j MASQUERADE",
		"xtables-legacy-multi iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001",
	} {
		words := strings.Fields(command)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
