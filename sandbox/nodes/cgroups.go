//go:build linux

package nodes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cgroupMount is where control groups are seen, one hierarchy (v2) or one folder per controller (v1).
const cgroupMount = "/sys/fs/cgroup"

// cgroupName is the run's control group, parent of all its pods.
func cgroupName(name string) string { return "mesh-split-" + name }

// cgroupRoots are the top folders of all hierarchies.
func cgroupRoots() ([]string, error) {
	if _, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers")); err == nil {
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, err
	}
	var roots []string
	for _, entry := range entries {
		if entry.IsDir() { // a link, as cpuacct -> cpu,cpuacct, is the same hierarchy twice
			roots = append(roots, filepath.Join(cgroupMount, entry.Name()))
		}
	}
	return roots, nil
}

// makeCgroups makes the run's control group in every hierarchy; the kubelet wants it to exist.
func makeCgroups(name string) error {
	roots, err := cgroupRoots()
	if err != nil {
		return err
	}
	for _, root := range roots {
		group := filepath.Join(root, cgroupName(name))
		if err := os.Mkdir(group, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if root == cgroupMount {
			if err := delegate(root); err != nil {
				return err
			}
		}
	}
	return nil
}

// delegate lets children of a v2 group use all of its controllers.
func delegate(group string) error {
	controllers, err := os.ReadFile(filepath.Join(group, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(controllers)) {
		if err := os.WriteFile(filepath.Join(group, "cgroup.subtree_control"), []byte("+"+controller), 0); err != nil {
			return fmt.Errorf("delegating %s: %w", controller, err)
		}
	}
	return nil
}

// removeCgroups removes the run's control groups, inner ones first. Their processes are dead by now, but the kernel may
// take a moment to notice.
func removeCgroups(name string) error {
	roots, err := cgroupRoots()
	if err != nil {
		return err
	}
	var faults []error
	for _, root := range roots {
		faults = append(faults, removeGroup(filepath.Join(root, cgroupName(name))))
	}
	return errors.Join(faults...)
}

func removeGroup(group string) error {
	entries, err := os.ReadDir(group)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeGroup(filepath.Join(group, entry.Name())); err != nil {
				return err
			}
		}
	}
	for range 100 {
		if err = os.Remove(group); err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("removing a control group: %w", err)
}
