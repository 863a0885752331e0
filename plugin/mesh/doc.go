// Package mesh is the only room that talks to the API server, and through it to the gateways' Envoys.
//
// It answers "what does the cluster hold?" and "please change this": it reads route objects raw, so that no field is lost,
// applies JSON Patches and plans again when somebody else wrote meanwhile, finds the gateways that serve an object and the
// address to send load to, and looks into every gateway pod's Envoy to say which weights are live. It takes a [Factory]
// (a kubeconfig) and gives plain values; errors say what was wanted, in the user's words, with a hint. It refuses to know
// commands, flags, weight arithmetic (plugin/route plans) and verdicts.
//
// The subtle point: "the write was acknowledged" and "users get it" are different moments. [Client.Patch] answers the
// first, [Watch] the second, and the second is asked of every Ready gateway pod, never of istiod's intention.
package mesh
