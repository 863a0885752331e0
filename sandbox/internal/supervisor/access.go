//go:build unix

package supervisor

import (
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/mesh-split/mesh-split/sandbox/internal/cluster"
)

// Context is the kubeconfig's context of a user who may do everything.
const Context = "mesh-sandbox"

// tokens are the secrets of the API server's users.
type tokens struct{ admin, viewer, istiod string }

func newTokens() tokens { return tokens{token(), token(), token()} }

// write writes the API server's token file: secret, user, id, groups.
func (t tokens) write(file string) error {
	text := fmt.Sprintf("%s,%s-admin,admin,system:masters\n%s,%s,viewer\n%s,istiod,istiod,system:masters\n",
		t.admin, Context, t.viewer, cluster.ViewerUser, t.istiod)
	return os.WriteFile(file, []byte(text), 0o600)
}

// rest is how the supervisor itself talks to the API server.
func (s *Supervisor) rest() *rest.Config {
	return &rest.Config{Host: s.apiServer(), BearerToken: s.tokens.admin, TLSClientConfig: rest.TLSClientConfig{CAData: s.ca.PEM()}}
}

func (s *Supervisor) apiServer() string { return fmt.Sprintf("https://127.0.0.1:%d", s.port.apiServer) }

// writeKubeconfigs writes the users' kubeconfig, with a context for everything and one for looking only, and istiod's.
func (s *Supervisor) writeKubeconfigs() error {
	users := map[string]string{Context: s.tokens.admin, cluster.ViewerUser: s.tokens.viewer}
	if err := s.writeKubeconfig(s.kubeconfig(), users); err != nil {
		return err
	}
	return s.writeKubeconfig(filepath.Join(s.config.Dir, "istiod", "kubeconfig"), map[string]string{Context: s.tokens.istiod})
}

func (s *Supervisor) kubeconfig() string { return filepath.Join(s.config.Dir, "kubeconfig") }

// writeKubeconfig writes one context per user, of the user's name; the default namespace is "default".
func (s *Supervisor) writeKubeconfig(file string, users map[string]string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters[Context] = &clientcmdapi.Cluster{Server: s.apiServer(), CertificateAuthorityData: s.ca.PEM()}
	for name, secret := range users {
		config.AuthInfos[name] = &clientcmdapi.AuthInfo{Token: secret}
		config.Contexts[name] = &clientcmdapi.Context{Cluster: Context, AuthInfo: name, Namespace: "default"}
	}
	config.CurrentContext = Context
	return clientcmd.WriteToFile(*config, file)
}
