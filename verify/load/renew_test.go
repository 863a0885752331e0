package load

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// A renewal that hears nothing holds nobody up who gives up.
func TestAbortOutrunsRenewal(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer s.Close()
	for _, engine := range Engines() {
		t.Run(engine.Name(), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			abort, asked, answer := make(chan struct{}), make(chan struct{}), make(chan struct{})
			defer close(answer)
			var once sync.Once
			octets, err := BuildRequest(RequestOptions{Host: "test.example"})
			if err != nil {
				t.Fatal(err)
			}
			p := &Plan{Request: octets, Addresses: []string{s.Listener.Addr().String()}, Connections: 1, Rate: 100, Abort: abort,
				Renew: func(context.Context) ([]byte, []Slot, error) {
					once.Do(func() { close(asked) })
					<-answer
					return nil, nil, context.Canceled
				}}
			over := make(chan error, 1)
			go func() { over <- engine.Run(ctx, p, NewRecorder(nil, p)) }()
			<-asked
			cancel()
			select {
			case <-over:
				t.Fatal("the run ended while a credential was renewed and nobody had given up")
			case <-time.After(200 * time.Millisecond):
			}
			close(abort)
			select {
			case err := <-over:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Error("the run goes on 10 s after it was given up")
			}
		})
	}
}
