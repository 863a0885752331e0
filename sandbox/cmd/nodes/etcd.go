//go:build linux

package main

import (
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

// newEtcd is etcd with one member on the node's loopback. It does not wait for the disk (unsafe-no-fsync): its data survive
// the end of a process, and the cluster does not survive the machine's.
func newEtcd() *cobra.Command {
	config := embed.NewConfig()
	var tls transport.TLSInfo
	c := &cobra.Command{Use: "etcd", Hidden: true, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		client := url.URL{Scheme: "https", Host: "127.0.0.1:2379"}
		peer := url.URL{Scheme: "https", Host: "127.0.0.1:2380"}
		config.Name = "node0"
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
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
		select {
		case <-stop:
			return nil
		case err := <-server.Err():
			return err
		}
	}}
	f := c.Flags()
	f.StringVar(&config.Dir, "data", "", "folder of the data")
	f.StringVar(&tls.CertFile, "cert", "", "certificate")
	f.StringVar(&tls.KeyFile, "key", "", "its key")
	f.StringVar(&tls.TrustedCAFile, "ca", "", "authority of clients")
	return c
}
