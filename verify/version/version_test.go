package version

import (
	"encoding/json"
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	vcs := func(revision, modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs.revision", Value: revision}, {Key: "vcs.modified", Value: modified}}
	}
	tests := []struct {
		name   string
		linked string
		build  *debug.BuildInfo
		want   Info
	}{
		{"a release says what the linker was told", "v0.1.0",
			&debug.BuildInfo{Main: debug.Module{Version: "v0.0.9"}}, Info{Version: "v0.1.0"}},
		{"go install of a tag knows the module's version", "",
			&debug.BuildInfo{Main: debug.Module{Version: "v0.2.0"}}, Info{Version: "v0.2.0"}},
		{"a changed work tree is dirty, and the version stays free of plus signs", "",
			&debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20260801-abc+dirty"}, Settings: vcs("abc", "true")},
			Info{Version: "v0.0.0-20260801-abc", Commit: "abc", Dirty: true}},
		{"a build without version control is devel", "",
			&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, Info{Version: "devel"}},
		{"a binary without build information is devel too", "", nil, Info{Version: "devel"}},
	}
	for _, tt := range tests {
		got := describe(tt.linked, tt.build)
		tt.want.Go, tt.want.Platform = got.Go, got.Platform // facts of the machine that runs the test
		if got != tt.want {
			t.Errorf("%s: describe(%q) = %+v, want %+v", tt.name, tt.linked, got, tt.want)
		}
	}
}

func TestInfoForPeople(t *testing.T) {
	info := Info{Version: "devel", Commit: "0123456789abcdef", Dirty: true, Go: "go1.26.0", Platform: "linux/amd64"}
	if got, want := info.String(), "devel (commit 0123456789ab, linux/amd64, go1.26.0, dirty)"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

func TestInfoAsJSON(t *testing.T) {
	text, err := json.Marshal(Get())
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"version":"`, `"go":"go`, `"platform":"`} {
		if !strings.Contains(string(text), field) {
			t.Errorf("%s misses %s", text, field)
		}
	}
}
