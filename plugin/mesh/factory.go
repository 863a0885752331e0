package mesh

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	istio "istio.io/client-go/pkg/clientset/versioned"

	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/version"
)

// Factory is how a verb reaches its cluster. Verbs ask for the Client when they complete their options, so that help,
// completion and wrong usage never touch a kubeconfig.
type Factory interface {
	Client() (*Client, error)
}

// Kubeconfig is the Factory of real life: kubectl's own flags, environment and files.
type Kubeconfig struct {
	Flags    *genericclioptions.ConfigFlags
	Warnings io.Writer // where warnings of the API server go, each once
}

var _ Factory = (*Kubeconfig)(nil)

// Client speaks to one cluster, in one namespace, as one user. It is safe for concurrent use.
type Client struct {
	Context   string // name in the kubeconfig, InClusterContext, or "" for a cluster given by flags
	Namespace string // of -n, else of the context, else "default"
	InCluster bool   // running in a pod: ClusterIPs are reachable

	config  *rest.Config
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	istio   istio.Interface
	early   *ahead // nil unless somebody asked ahead
}

// In is the Client in another namespace.
func (c *Client) In(namespace string) *Client {
	if namespace == c.Namespace {
		return c
	}
	one := *c
	one.Namespace, one.early = namespace, nil // what was asked ahead is about the other one
	return &one
}

// InClusterContext stands for the kubeconfig's context where a pod's own service account is used.
const InClusterContext = "in-cluster"

// requestsPerSecond is client-go's own brake. Its default of 5 would hold back the live check of a few gateways; kubectl
// chose 50 as well.
const requestsPerSecond = 50

// Client loads the kubeconfig. It does not talk to the cluster yet.
func (k *Kubeconfig) Client() (*Client, error) {
	loader := k.Flags.ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, kubeconfigFault(err)
	}
	c := &Client{Context: raw.CurrentContext, InCluster: os.Getenv("KUBERNETES_SERVICE_HOST") != ""}
	if name := *k.Flags.Context; name != "" {
		c.Context = name
		if _, ok := raw.Contexts[name]; !ok {
			return nil, unknownContext(name, keys(raw.Contexts))
		}
	} else if raw.CurrentContext != "" && raw.Contexts[raw.CurrentContext] == nil {
		return nil, unknownContext(raw.CurrentContext, keys(raw.Contexts))
	}
	if len(raw.Clusters) == 0 && *k.Flags.APIServer == "" {
		if !c.InCluster {
			return nil, noKubeconfig()
		}
		c.Context = InClusterContext
	}
	if c.Context == "" && len(raw.Contexts) > 0 && *k.Flags.APIServer == "" && *k.Flags.ClusterName == "" {
		return nil, fault.New(fault.Failed, "choose one with --context, or kubectl config use-context; contexts here: "+listed(keys(raw.Contexts)),
			"the kubeconfig has no current context")
	}
	if c.Namespace, _, err = loader.Namespace(); err != nil {
		return nil, kubeconfigFault(err)
	}
	if c.config, err = k.Flags.ToRESTConfig(); err != nil {
		return nil, kubeconfigFault(err)
	}
	// A copy: ToRESTConfig may hand out what it keeps.
	c.config = rest.CopyConfig(c.config)
	c.config.QPS, c.config.Burst = requestsPerSecond, 4*requestsPerSecond
	c.config.UserAgent = "mesh-split/" + version.String()
	c.config.WarningHandler = rest.NewWarningWriter(k.Warnings, rest.WarningWriterOptions{Deduplicate: true})
	return c, c.connect()
}

// connect builds the clients, which share one connection to the API server.
func (c *Client) connect() error {
	h, err := rest.HTTPClientFor(c.config)
	if err != nil {
		return kubeconfigFault(err)
	}
	if c.kube, err = kubernetes.NewForConfigAndClient(c.config, h); err != nil {
		return kubeconfigFault(err)
	}
	if c.dynamic, err = dynamic.NewForConfigAndClient(c.config, h); err != nil {
		return kubeconfigFault(err)
	}
	if c.istio, err = istio.NewForConfigAndClient(c.config, h); err != nil {
		return kubeconfigFault(err)
	}
	return nil
}

func noKubeconfig() error {
	return fault.New(fault.Failed, "set KUBECONFIG or --kubeconfig FILE; kubectl config view shows what is read",
		"no kubeconfig: no cluster is configured")
}

func unknownContext(name string, have []string) error {
	hint := "contexts here: " + listed(have)
	if near := Near(name, have); near != "" {
		hint = "did you mean --context " + near + "? " + hint
	}
	if len(have) == 0 {
		return noKubeconfig()
	}
	return fault.New(fault.Failed, hint, "context %q is not in the kubeconfig", name)
}

func kubeconfigFault(err error) error {
	switch {
	case clientcmd.IsEmptyConfig(err):
		return noKubeconfig()
	case errors.Is(err, os.ErrNotExist):
		return fault.New(fault.Failed, "set KUBECONFIG or --kubeconfig FILE", "reading the kubeconfig: %w", err)
	}
	return fault.New(fault.Failed, "kubectl config view shows what is read", "reading the kubeconfig: %w", err)
}

func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// listed joins names for a hint, the first twelve of them.
func listed(names []string) string {
	const most = 12
	text, rest := "", 0
	for i, n := range names {
		switch {
		case i >= most:
			rest++
		case i > 0:
			text += ", " + n
		default:
			text = n
		}
	}
	if rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}
