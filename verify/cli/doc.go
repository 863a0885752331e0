// Package cli is the command line of mesh-verify, and the load flags that the kubectl plugin shares with it.
//
// It answers "what did the user ask for?": raw flag text becomes a verify.Config in one place ([LoadFlags.Config]), so the
// two programs cannot drift apart. It takes arguments, an environment and streams, and gives an exit code. It refuses to
// know Kubernetes, and the core never imports it.
//
// The subtle point: secrets come by --header-from-env, and header values are never printed, recorded or reported.
package cli
