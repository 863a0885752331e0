// Demoapp is the application of the playground: a small server that says which version it is, so that a split can be
// seen in a browser and counted by a program.
//
//	demoapp --version v1 --destination prod [--listen :8080] [--admin 127.0.0.1:9901]
//
// Each flag can also be given as an environment variable (APP_VERSION, APP_DESTINATION, APP_LISTEN, APP_ADMIN,
// APP_DRAIN_DELAY); the flag wins. Addresses may end in port 0; the ones really used are printed, one a line, before the
// first request is accepted:
//
//	listening on http://127.0.0.1:40123
//	admin on http://127.0.0.1:40124
//
// With --check URL it serves nothing and asks that URL until the version answers (the chart's test, in an image that has
// neither shell nor curl).
//
// # The application's port
//
//   - /healthz answers 200 while the process lives; /readyz answers 503 when it is told to be unready or is draining.
//   - Every other path, with any method, answers with the headers x-app-version and x-app-destination: a page for
//     browsers, one line of text for everybody else (curl, load generators). The page draws the split by asking its own
//     URL again and again and reading x-app-version.
//
// # The admin port
//
// Faults and counts live on an address of their own, off unless asked for. It is not the application's port guarded by
// the caller's address: behind a gateway or a sidecar on the same host every request comes from loopback, so such a guard
// would let anybody switch faults on through the gateway.
//
//   - GET /-/stats: {"version":"v1","destination":"prod","requests":1200,"byStatus":{"200":1200},"inFlight":0}. Probes
//     are not counted. A request is counted before its reply is written, so a client that has read n replies reads a
//     count of at least n.
//   - GET, POST, DELETE /-/faults: {"latency":"50ms","errorRate":0.1,"errorStatus":500,"unready":false}. A POST replaces
//     the whole state, so a field left out is a fault switched off; DELETE switches all off.
//
// It refuses to know anything of Istio or Kubernetes. Its subtle point is SIGTERM: for --drain-delay it goes on serving
// while /readyz fails and each reply asks to close its connection; only then does it stop accepting. Closing kept-alive
// connections at once would race with requests that a gateway has already put on them, and each lost race is a 503.
package main
