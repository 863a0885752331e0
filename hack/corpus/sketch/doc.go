// Package sketch reads the corpus of routes, testdata/corpus/cases.json, and makes whole objects of its YAML sketches.
//
// A sketch is a line as a person would draw a cluster on a board:
//
//	Service shop/reviews {selector: {app: reviews}, ports: [9080]}; ready pods version=v1 x3, version=v2 x1
//
// It becomes what an API server takes: a Service with named ports, four Pods with the selector's labels, and an EndpointSlice
// that names them. What is no object ("Envoy dump: …") stays text, for the test to act on: nothing is left out in silence. The
// package refuses to know what is right; a case's wish is handed on as it stands.
package sketch
