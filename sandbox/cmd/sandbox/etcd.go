//go:build unix

package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// newEtcd is etcd with one member on loopback. It does not wait for the disk (unsafe-no-fsync): its data survive the end
// of a process, and a sandbox does not survive the machine's.
func newEtcd() *cobra.Command {
	config := embed.NewConfig()
	var clientPort, peerPort int
	var tls transport.TLSInfo
	c := &cobra.Command{Use: "etcd", Hidden: true, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		client, peer := loopbackURL(clientPort), loopbackURL(peerPort)
		config.Name = "sandbox"
		config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
		config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
		config.InitialCluster = config.InitialClusterFromName(config.Name)
		tls.ClientCertAuth = true
		config.ClientTLSInfo, config.PeerTLSInfo = tls, tls
		config.UnsafeNoFsync, config.LogLevel, config.LogOutputs = true, "warn", []string{"stderr"}
		server, err := embed.StartEtcd(config)
		if err != nil {
			return fmt.Errorf("starting etcd: %w", err)
		}
		defer server.Close()
		select {
		case <-c.Context().Done():
			return nil
		case err := <-server.Err():
			return err
		}
	}}
	f := c.Flags()
	f.StringVar(&config.Dir, "data", "", "folder of the data")
	f.IntVar(&clientPort, "client-port", 0, "port for clients")
	f.IntVar(&peerPort, "peer-port", 0, "port for members")
	f.StringVar(&tls.CertFile, "cert", "", "certificate")
	f.StringVar(&tls.KeyFile, "key", "", "its key")
	f.StringVar(&tls.TrustedCAFile, "ca", "", "authority of clients")
	return c
}

func loopbackURL(port int) url.URL {
	return url.URL{Scheme: "https", Host: fmt.Sprintf("127.0.0.1:%d", port)}
}
