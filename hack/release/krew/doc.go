// Package krew writes and checks the plugin manifest that the krew index wants.
//
// It takes a version and the sums of archives and gives YAML; it takes YAML and gives every rule that is broken. The rules
// are krew's own, restated from its validation package and from validate-krew-manifest, and our additions (each says so).
// It refuses to fetch anything: whether the addresses answer is for the release to try.
//
// Its subtle point: krew reads the plugin's name from the file's name, so the same manifest passes as mesh-split.yaml and
// fails as krew-manifest.yaml; Check therefore takes the name apart from the text.
//
// https://github.com/kubernetes-sigs/krew/blob/master/internal/index/validation/validate.go
package krew
