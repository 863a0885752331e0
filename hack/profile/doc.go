// Profile writes cmd/mesh-verify/default.pgo, by which `go build` and `go install` optimise mesh-verify
// (https://go.dev/doc/pgo): one processor profile over every engine under a closed loop, for it is there that a request's
// cost shows. Run it by `make pgo` after the engines have changed; an old profile costs speed, never correctness.
//
// The far side is hack/benchload's, as in `make bench-load`: on one core, while the load is sent from another. The plugin is not
// built by a profile: that would compile Kubernetes' client twice for a load that is paced anyway.
package main
