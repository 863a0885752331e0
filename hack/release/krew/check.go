package krew

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

var (
	safeName = regexp.MustCompile(`^[\w-]+$`)
	sum      = regexp.MustCompile(`^[a-f0-9]{64}$`)
	// Semantic versions with krew's leading v. https://semver.org, section "Is there a suggested regular expression"
	version = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
		`(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)
)

// Platforms are the systems and architectures that each release has archives for.
var Platforms = [][2]string{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// Check reads a manifest strictly and reports every broken rule at once. name is the file's name without ".yaml" as it
// will be in the index.
func Check(name string, text []byte) (Manifest, error) {
	var m Manifest
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if strings.Contains(string(text), "{{") {
		fault("a template, not a manifest: found \"{{\"") // ours: the index takes the file as it stands
	}
	if err := yaml.UnmarshalStrict(text, &m); err != nil {
		return m, errors.Join(append(faults, fmt.Errorf("reading: %w", err))...)
	}
	if m.APIVersion != APIVersion {
		fault("apiVersion is %q, want %q", m.APIVersion, APIVersion)
	}
	if m.Kind != "Plugin" {
		fault("kind is %q, want Plugin", m.Kind)
	}
	if !safeName.MatchString(name) || m.Metadata.Name != name {
		fault("metadata.name is %q, want the file's name %q", m.Metadata.Name, name)
	}
	if !version.MatchString(m.Spec.Version) {
		fault("version %q is not a semantic version with a leading v", m.Spec.Version)
	}
	switch short := m.Spec.ShortDescription; {
	case short == "" || strings.ContainsAny(short, "\r\n"):
		fault("shortDescription %q is empty or has a line break", short)
	case utf8.RuneCountInString(short) > 50 || strings.HasSuffix(short, "."): // the index's naming guide, stricter than its tool
		fault("shortDescription %q has more than 50 characters or ends in a full stop", short)
	}
	for field, value := range map[string]string{"description": m.Spec.Description, "caveats": m.Spec.Caveats} {
		for _, line := range strings.Split(value, "\n") {
			if len(line) > 80 {
				fault("%s has a line of more than 80 characters: %q", field, line)
			}
		}
	}
	if !strings.HasPrefix(m.Spec.Homepage, "https://") {
		fault("homepage %q is no https address", m.Spec.Homepage) // ours; krew takes any
	}
	faults = append(faults, platforms(m.Spec)...)
	return m, errors.Join(faults...)
}

func platforms(spec Spec) []error {
	var faults []error
	seen := map[[2]string]int{}
	for i, p := range spec.Platforms {
		fault := func(format string, args ...any) {
			faults = append(faults, fmt.Errorf("platforms[%d]: %s", i, fmt.Sprintf(format, args...)))
		}
		labels := p.Selector.MatchLabels
		pair := [2]string{labels["os"], labels["arch"]}
		if len(labels) != 2 || pair[0] == "" || pair[1] == "" {
			fault("the selector is %v, want just os and arch", labels)
		}
		seen[pair]++
		if !sum.MatchString(p.SHA256) {
			fault("sha256 %q does not match %s", p.SHA256, sum)
		}
		if p.Files != nil {
			fault("files: is given; without it krew takes the whole archive") // ours: nothing to go stale
		}
		if want := Binary(pair[0]); p.Bin != want {
			fault("bin is %q, want %q", p.Bin, want)
		}
		ending := ".tar.gz"
		if pair[0] == "windows" {
			ending = ".zip"
		}
		if !strings.HasPrefix(p.URI, "https://") || !strings.HasSuffix(p.URI, ending) || !strings.Contains(p.URI, "/"+spec.Version+"/") ||
			!strings.Contains(p.URI, pair[0]+"_"+pair[1]) {
			fault("uri %q is not that of %s for %s/%s", p.URI, spec.Version, pair[0], pair[1])
		}
	}
	for _, pair := range Platforms {
		if seen[pair] != 1 {
			faults = append(faults, fmt.Errorf("%s/%s is selected %d times, want once", pair[0], pair[1], seen[pair]))
		}
		delete(seen, pair)
	}
	for pair := range seen {
		faults = append(faults, fmt.Errorf("%s/%s is not a platform that we release for", pair[0], pair[1]))
	}
	return faults
}
