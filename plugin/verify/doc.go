// Package verify is `kubectl mesh-split verify NAME`: does the gateway send every destination the share that the object
// says?
//
// It changes nothing, but for the header that --identify inject adds and removes. It looks into every gateway's Envoy, sends a
// bounded load to an address that was shown first, and prints the report of the verification. It refuses to blame without a
// measurement: a stale gateway is named as the cause of a FAIL, and as a warning beside a PASS.
package verify
