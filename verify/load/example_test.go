package load_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/mesh-split/mesh-split/verify/load"
)

// A hundred requests over four connections; every fourth is answered by v2.
func Example() {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		version := "v1"
		if n.Add(1)%4 == 0 {
			version = "v2"
		}
		w.Header().Set("x-app-version", version)
	}))
	defer server.Close()

	request, err := load.BuildRequest(load.RequestOptions{Path: "/", Host: "demo.example"})
	if err != nil {
		panic(err)
	}
	plan := &load.Plan{Request: request, Addresses: []string{server.Listener.Addr().String()}, Connections: 4, MaxRequests: 100}
	recorder := load.NewRecorder([]string{"v1", "v2"}, plan)
	recorder.BeginEvidence()
	if err := load.Auto(plan).Run(context.Background(), plan, recorder); err != nil {
		panic(err)
	}
	var e load.Evidence
	recorder.Evidence(&e)
	for i, version := range recorder.Labels() {
		fmt.Println(version, e.Counts[i], "of", e.Requests)
	}
	// Output:
	// v1 75 of 100
	// v2 25 of 100
}
