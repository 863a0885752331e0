package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	checkLimit = 30 * time.Second // a new pod's sidecar and DNS may need some seconds
	checkPause = 500 * time.Millisecond
)

// check asks the URL until a 200 says the wanted version. The error is that of the last try.
func check(ctx context.Context, o options, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	pause := time.NewTicker(checkPause)
	defer pause.Stop()
	for {
		err := askOnce(ctx, o.check, o.version)
		if err == nil {
			fmt.Fprintf(stdout, "%s says %s\n", o.check, o.version)
			return nil
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return err
		}
	}
}

func askOnce(ctx context.Context, url, version string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usageError{fmt.Errorf("--check: %w", err)}
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	defer reply.Body.Close()
	if said := reply.Header.Get("x-app-version"); reply.StatusCode != http.StatusOK || said != version {
		return fmt.Errorf("asking %s: status %d from version %q, want 200 from %q", url, reply.StatusCode, said, version)
	}
	return nil
}
