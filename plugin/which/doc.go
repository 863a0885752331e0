// Package which is `kubectl mesh-split which URL`: the http entry that governs a request at the gateways, and why, entry by
// entry.
//
// It reads the objects that istiod reads, follows the rules of plugin/route, and prints each route that was looked at with the
// condition that decided. It sends no request and changes nothing. A dump of a gateway's Envoy (--dump FILE) settles what the
// objects leave open, such as the order of two VirtualServices with one host. Where something cannot be known, it says so
// rather than guess: exit code 5, with the path as far as it came.
package which
