// Package version says which build is running, in the same words for both programs, their User-Agent and their reports.
//
// It takes nothing: a release sets Version with the linker, and a plain go build or go install leaves it to the build
// information that the toolchain writes into every binary. It refuses to know who asks; the printing of `version -o json`
// belongs to the commands.
//
// Its subtle point: a build from a work tree has a version of its own too (a pseudo-version, or "devel"), and a tree with
// uncommitted changes says "dirty", so that a report never claims a release that it is not.
package version
