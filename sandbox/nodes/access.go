//go:build linux

package nodes

import (
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/mesh-split/mesh-split/sandbox/internal/pki"
)

// Context is the name of the kubeconfig's one context.
const Context = "mesh-nodes"

// apiServerURL is where everybody in the network namespace finds the API server.
const apiServerURL = "https://" + nodeAddress + ":6443"

// clients are the API server's users, by the file names of their certificates; the names and groups are those that
// Kubernetes' own roles are bound to. https://kubernetes.io/docs/setup/best-practices/certificates/
var clients = map[string]pki.Name{
	"admin":              {User: "mesh-split-admin", Groups: []string{"system:masters"}},
	"controller-manager": {User: "system:kube-controller-manager"},
	"scheduler":          {User: "system:kube-scheduler"},
	"kube-proxy":         {User: "system:kube-proxy"},
	"kubelet":            {User: "system:node:" + nodeName, Groups: []string{"system:nodes"}, Hosts: []string{nodeAddress, nodeName}},
	"coredns":            {User: "system:coredns"},
	"apiserver-kubelet":  {User: "kube-apiserver", Groups: []string{"system:masters"}},
	"apiserver": {User: "kube-apiserver", Hosts: []string{nodeAddress, serviceAddress, "127.0.0.1", "localhost",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
	"etcd": {User: "etcd", Hosts: []string{"127.0.0.1"}},
}

// writeAccess writes all certificates, signed by an authority that nobody can use again, and a kubeconfig for each client.
func writeAccess(dir string, now time.Time) error {
	folder := filepath.Join(dir, "pki")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	ca, err := pki.NewAuthority(now)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "ca.crt"), ca.PEM(), 0o600); err != nil {
		return err
	}
	if err := pki.IssueKey(folder, "tokens"); err != nil {
		return err
	}
	for file, name := range clients {
		if err := ca.IssueNamed(folder, file, name); err != nil {
			return err
		}
		if err := writeKubeconfig(filepath.Join(folder, file+".kubeconfig"), folder, file); err != nil {
			return err
		}
	}
	return writeKubeconfig(filepath.Join(dir, "kubeconfig"), folder, "admin")
}

// writeKubeconfig writes a file that needs no other file.
func writeKubeconfig(file, folder, client string) error {
	var data [3][]byte
	for i, name := range []string{"ca.crt", client + ".crt", client + ".key"} {
		var err error
		if data[i], err = os.ReadFile(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	config := clientcmdapi.NewConfig()
	config.Clusters[Context] = &clientcmdapi.Cluster{Server: apiServerURL, CertificateAuthorityData: data[0]}
	config.AuthInfos[client] = &clientcmdapi.AuthInfo{ClientCertificateData: data[1], ClientKeyData: data[2]}
	config.Contexts[Context] = &clientcmdapi.Context{Cluster: Context, AuthInfo: client, Namespace: "default"}
	config.CurrentContext = Context
	return clientcmd.WriteToFile(*config, file)
}
