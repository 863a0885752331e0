//go:build linux

package nodes

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// daemons are everything that runs on the node outside pods, in the order in which they need each other. All come up by
// themselves whatever the order; it only saves restarts.
func daemons(o *Options) []daemon {
	nodes := filepath.Join(o.Programs, "nodes")
	file := func(parts ...string) string { return filepath.Join(append([]string{o.Dir}, parts...)...) }
	pki := func(name string) string { return file("pki", name) }
	return []daemon{
		{Name: "containerd", Args: []string{"containerd", "--config", file("containerd.toml")}},
		{Name: "etcd", Args: []string{nodes, "etcd", "--data", file("etcd"),
			"--cert", pki("etcd.crt"), "--key", pki("etcd.key"), "--ca", pki("ca.crt")}},
		{Name: "kube-apiserver", Args: []string{nodes, "kube-apiserver",
			"--advertise-address=" + nodeAddress, "--secure-port=6443", "--allow-privileged=true",
			"--etcd-servers=https://127.0.0.1:2379", "--etcd-cafile=" + pki("ca.crt"),
			"--etcd-certfile=" + pki("apiserver.crt"), "--etcd-keyfile=" + pki("apiserver.key"),
			"--tls-cert-file=" + pki("apiserver.crt"), "--tls-private-key-file=" + pki("apiserver.key"),
			"--client-ca-file=" + pki("ca.crt"), "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
			"--kubelet-client-certificate=" + pki("apiserver-kubelet.crt"), "--kubelet-client-key=" + pki("apiserver-kubelet.key"),
			"--kubelet-certificate-authority=" + pki("ca.crt"), "--kubelet-preferred-address-types=InternalIP",
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-signing-key-file=" + pki("tokens.key"), "--service-account-key-file=" + pki("tokens.pub"),
			"--service-cluster-ip-range=" + serviceNet, "--profiling=false"}},
		{Name: "kube-controller-manager", Args: []string{nodes, "kube-controller-manager",
			"--kubeconfig=" + pki("controller-manager.kubeconfig"), "--leader-elect=false", "--bind-address=127.0.0.1",
			"--service-account-private-key-file=" + pki("tokens.key"), "--root-ca-file=" + pki("ca.crt"),
			"--use-service-account-credentials=true", "--cluster-cidr=" + podNet, "--service-cluster-ip-range=" + serviceNet}},
		{Name: "kube-scheduler", Args: []string{nodes, "kube-scheduler",
			"--kubeconfig=" + pki("scheduler.kubeconfig"), "--leader-elect=false", "--bind-address=127.0.0.1"}},
		{Name: "kubelet", Args: []string{nodes, "kubelet", "--config=" + file("kubelet.yaml"),
			"--kubeconfig=" + pki("kubelet.kubeconfig"), "--hostname-override=" + nodeName, "--node-ip=" + nodeAddress,
			"--root-dir=" + file("kubelet"), "--cert-dir=" + file("kubelet", "pki")}},
		{Name: "kube-proxy", Args: []string{nodes, "kube-proxy", "--kubeconfig=" + pki("kube-proxy.kubeconfig"),
			"--proxy-mode=iptables", "--cluster-cidr=" + podNet, "--conntrack-max-per-core=0", "--hostname-override=" + nodeName,
			"--bind-address=" + nodeAddress, "--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249"}},
		{Name: "coredns", Args: []string{filepath.Join(o.Programs, "coredns"), "-conf", file("Corefile")}},
	}
}

// writePlan writes the daemons and their configuration files.
func writePlan(o *Options) error {
	for _, folder := range []string{"log", "containerd/root", "containerd/state", "etcd", "kubelet", "cni"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, folder), 0o700); err != nil {
			return err
		}
	}
	plan, err := json.MarshalIndent(daemons(o), "", "  ")
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		planFile:                 string(plan),
		"containerd.toml":        fmt.Sprintf(containerdConfig, o.Dir, socket(o.Dir), cniPlugins),
		"kubelet.yaml":           fmt.Sprintf(kubeletConfig, o.Dir, socket(o.Dir), dnsAddress, cgroupName(o.Name)),
		"cni/10-bridge.conflist": fmt.Sprintf(cniConfig, podNet),
		"Corefile":               fmt.Sprintf(corefile, filepath.Join(o.Dir, "pki", "coredns.kubeconfig"), Context),
	} {
		if err := os.WriteFile(filepath.Join(o.Dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// socket is where containerd listens.
func socket(dir string) string { return filepath.Join(dir, "containerd", "sock") }

// containerdConfig: folder of the run, socket, folder of CNI's programs. It is in the form that containerd 1.6 and 1.7 read.
//
// restrict_oom_score_adj is for machines that keep CAP_SYS_RESOURCE to themselves (virtual machines of CI often do):
// without it every pod sandbox there dies with "can't get final child's PID from pipe: EOF".
const containerdConfig = `version = 2
root = "%[1]s/containerd/root"
state = "%[1]s/containerd/state"
[grpc]
  address = "%[2]s"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + pauseImage + `"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%[3]s"
    conf_dir = "%[1]s/cni"
`

// kubeletConfig: folder of the run, containerd's socket, DNS server, control group.
//
// The disk's thresholds are low, since images here need no room to be pulled into; nothing is reserved for the system.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://%[2]s
cgroupDriver: cgroupfs
cgroupRoot: /%[4]s
cgroupsPerQOS: true
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
resolvConf: ""
clusterDomain: cluster.local
clusterDNS: [%[3]s]
podCIDR: ` + podNet + `
address: ` + nodeAddress + `
healthzBindAddress: 127.0.0.1
volumePluginDir: %[1]s/kubelet/plugins-exec
tlsCertFile: %[1]s/pki/kubelet.crt
tlsPrivateKeyFile: %[1]s/pki/kubelet.key
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %[1]s/pki/ca.crt}
authorization: {mode: Webhook}
evictionHard: {memory.available: 50Mi, nodefs.available: "1%%", imagefs.available: "1%%"}
imageGCHighThresholdPercent: 99
imageGCLowThresholdPercent: 98
serializeImagePulls: false
`

// cniConfig: the pods' network.
const cniConfig = `{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods0", "isGateway": true, "ipMasq": true, "hairpinMode": true, "promiscMode": false,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "%s"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
`

// corefile: kubeconfig, its context.
const corefile = `.:53 {
  errors
  health 127.0.0.1:8081
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig %[1]s %[2]s
  }
  cache 5
}
`
