package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// build compiles a package for a platform and gives the binary.
//
// -buildvcs=false is what lets a tagged commit hold its own sums: a stamp would put the commit's hash into the binary, and
// the sum of the binary into the commit. -s -w drop symbols that only a debugger reads, a third of the size; stack traces
// keep their names and lines.
func build(module, pkg, version, system, arch string) ([]byte, error) {
	folder, err := os.MkdirTemp("", "release")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	out := filepath.Join(folder, "binary")
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X "+module+"/verify/version.Version="+version, "-o", out, pkg)
	// GOFLAGS and the levels of instruction sets would change the bytes from machine to machine.
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch, "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0",
		"GOEXPERIMENT=")
	if text, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building %s for %s/%s: %w\n%s", pkg, system, arch, err, text)
	}
	return os.ReadFile(out)
}

// modulePath reads the one place that names the module's owner.
func modulePath() (string, error) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		return "", fmt.Errorf("run this at the repository's root: %w", err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	path, found := strings.CutPrefix(first, "module ")
	if !found {
		return "", fmt.Errorf("go.mod begins with %q, not with its module", first)
	}
	return strings.TrimSpace(path), nil
}
