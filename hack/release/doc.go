// Release builds what a release publishes: for six platforms the plugin and the stand-alone verifier, each in an archive
// with the licence, their checksums and the krew manifest.
//
//	go run ./hack/release --version v0.1.0 --out dist
//
// The same source and the same Go release give the same bytes on every machine: -trimpath, no version control stamp, fixed
// times, owners and order in the archives. So the manifest can be committed in the very commit that is tagged: its sums do
// not depend on it. It refuses to publish, to tag and to reach the network.
package main
