//go:build unix

package supervisor

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// get asks for a URL of the sandbox and wants 200.
func (s *Supervisor) get(ctx context.Context, url string) error {
	_, err := s.fetch(ctx, url)
	return err
}

// fetch reads a URL of the sandbox. The API server gets the administrator's token; the sandbox's own authority vouches for
// whoever speaks TLS.
func (s *Supervisor) fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(url, s.apiServer()) {
		request.Header.Set("Authorization", "Bearer "+s.tokens.admin)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: s.ca.Pool(), MinVersion: tls.VersionTLS12}}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s: %.300s", url, response.Status, data)
	}
	return data, nil
}
