package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/mesh-split/mesh-split/hack/release/krew"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// program is one of the things that a release ships.
type program struct {
	pkg  string                     // import path, relative to the module
	file func(system string) string // the binary's name on a system
	name string                     // what its archives' names begin with
}

var programs = []program{
	{"./cmd/kubectl-mesh_split", krew.Binary, "kubectl-mesh_split"},
	{"./cmd/mesh-verify", func(system string) string {
		if system == "windows" {
			return "mesh-verify.exe"
		}
		return "mesh-verify"
	}, "mesh-verify"},
}

func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	flags.SetOutput(stderr)
	version := flags.String("version", "", "the release, such as v0.1.0")
	out := flags.String("out", "dist", "folder to write to; its archives of other versions stay")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`).MatchString(*version) {
		return fmt.Errorf("--version %q is not like v0.1.0", *version)
	}
	module, err := modulePath()
	if err != nil {
		return err
	}
	licence, err := os.ReadFile("LICENSE")
	if err != nil {
		return fmt.Errorf("the licence goes into each archive: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(*out, "krew"), 0o755); err != nil {
		return err
	}

	var sums strings.Builder
	var plugin []krew.Archive
	for _, p := range programs {
		for _, platform := range krew.Platforms {
			system, arch := platform[0], platform[1]
			binary, err := build(module, p.pkg, *version, system, arch)
			if err != nil {
				return err
			}
			archive, ending, err := pack(system, []file{{p.file(system), 0o755, binary}, {"LICENSE", 0o644, licence}})
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s_%s_%s_%s%s", p.name, *version, system, arch, ending)
			if err := os.WriteFile(filepath.Join(*out, name), archive, 0o644); err != nil {
				return err
			}
			digest := sha256.Sum256(archive)
			sum := hex.EncodeToString(digest[:])
			fmt.Fprintf(&sums, "%s  %s\n", sum, name)
			fmt.Fprintf(stdout, " ✓ %s  %.1f MB\n", name, float64(len(archive))/1e6)
			if p.name == programs[0].name {
				plugin = append(plugin, krew.Archive{System: system, Arch: arch, File: name, SHA256: sum})
			}
		}
	}

	manifest := krew.Render(*version, module, plugin)
	if _, err := krew.Check(krew.Name, manifest); err != nil {
		return fmt.Errorf("the manifest breaks krew's rules: %w", err)
	}
	if err := os.WriteFile(filepath.Join(*out, "krew", krew.Name+".yaml"), manifest, 0o644); err != nil {
		return err
	}
	// In the form that `sha256sum -c` reads.
	if err := os.WriteFile(filepath.Join(*out, "checksums_"+*version+".txt"), []byte(sums.String()), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(stdout, " ✓ checksums_%s.txt and krew/%s.yaml, by %s\n", *version, krew.Name, runtime.Version())
	return nil
}
