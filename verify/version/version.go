package version

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// Version is the release, such as "v0.1.0". It is empty unless the linker set it:
//
//	go build -ldflags "-X github.com/mesh-split/mesh-split/verify/version.Version=v0.1.0"
//
// Read it through Get or String, which know the other sources.
var Version string

// Info describes a build. It is what `version -o json` prints; fields are only ever added.
type Info struct {
	Version  string `json:"version"`          // "v0.1.0", a pseudo-version, or "devel"; never empty
	Commit   string `json:"commit,omitempty"` // full hash of the source; empty outside a work tree
	Dirty    bool   `json:"dirty,omitempty"`  // the work tree had changes that no commit holds
	Go       string `json:"go"`               // "go1.26.0"
	Platform string `json:"platform"`         // "linux/amd64"
}

// Get reads the running binary.
func Get() Info {
	build, _ := debug.ReadBuildInfo() // nil when the binary was linked without it; describe copes
	return describe(Version, build)
}

// String is Get().Version: what goes into the User-Agent and the report.
func String() string { return Get().Version }

// String is one line for people: "v0.1.0 (linux/amd64, go1.26.0)", with a commit when the version does not name one.
func (i Info) String() string {
	detail := []string{i.Platform, i.Go}
	if i.Commit != "" && i.Version == devel {
		detail = append([]string{"commit " + i.Commit[:min(12, len(i.Commit))]}, detail...)
	}
	if i.Dirty {
		detail = append(detail, "dirty")
	}
	return i.Version + " (" + strings.Join(detail, ", ") + ")"
}

// devel is the version of a build that knows no better; the toolchain's own word is "(devel)".
const devel = "devel"

// describe prefers what the linker was told over what the toolchain found, and either over nothing.
func describe(linked string, build *debug.BuildInfo) Info {
	info := Info{Version: linked, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if build == nil {
		build = &debug.BuildInfo{}
	}
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Commit = setting.Value
		case "vcs.modified":
			info.Dirty = setting.Value == "true"
		}
	}
	if info.Version == "" {
		// "+dirty" is dropped here because Dirty says it, and "+" needs escaping in more places than it is worth.
		info.Version = strings.TrimSuffix(build.Main.Version, "+dirty")
	}
	if info.Version == "" || info.Version == "(devel)" {
		info.Version = devel
	}
	return info
}
