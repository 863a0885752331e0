package plugin

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/plugin/check"
	"github.com/mesh-split/mesh-split/plugin/get"
	"github.com/mesh-split/mesh-split/plugin/history"
	"github.com/mesh-split/mesh-split/plugin/mesh"
	"github.com/mesh-split/mesh-split/plugin/set"
	"github.com/mesh-split/mesh-split/plugin/status"
	"github.com/mesh-split/mesh-split/plugin/undo"
	"github.com/mesh-split/mesh-split/plugin/verify"
	"github.com/mesh-split/mesh-split/plugin/wait"
	"github.com/mesh-split/mesh-split/plugin/which"
	"github.com/mesh-split/mesh-split/verify/cli"
	"github.com/mesh-split/mesh-split/verify/fault"
	"github.com/mesh-split/mesh-split/verify/report"
	"github.com/mesh-split/mesh-split/verify/version"
)

// NewCmdRoot makes the command tree.
func NewCmdRoot(s genericiooptions.IOStreams) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true)
	f := &mesh.Kubeconfig{Flags: flags, Warnings: s.ErrOut}
	root := &cobra.Command{
		Use:   "kubectl-mesh_split",
		Short: "Shift Istio canary weights and measure the split",
		Long: `Change the weights of Istio VirtualServices, wait until every ingress gateway really has them, and measure with a bounded
load whether users get the split that was asked for. Nothing is installed in the cluster.`,
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl mesh-split"},
		Args:        cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(c, args[0])
			}
			return c.Help()
		},
		DisableAutoGenTag: true,
	}
	cli.UsageErrors(root)
	root.AddCommand(
		get.NewCmdGet(f, s, nil),
		set.NewCmdSet(f, s, nil),
		verify.NewCmdVerify(f, s, nil),
		wait.NewCmdWait(f, s, nil),
		status.NewCmdStatus(f, s, nil),
		which.NewCmdWhich(f, s, nil),
		check.NewCmdCheck(f, s, nil),
		history.NewCmdHistory(f, s, nil),
		undo.NewCmdUndo(f, s, nil),
		newCmdVersion(s),
		newCmdOptions(s, root),
	)
	flags.AddFlags(root.PersistentFlags())
	// Reference pages and help must not show the home folder of whoever made them.
	root.PersistentFlags().Lookup("cache-dir").DefValue = "$HOME/.kube/cache"
	hideInherited(root)
	root.InitDefaultCompletionCmd()
	return root
}

// unknown is the usage error of a command that there is not.
func unknown(c *cobra.Command, name string) error {
	hint := "kubectl mesh-split --help lists the commands"
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	if near := mesh.Near(name, names); near != "" {
		hint = "did you mean kubectl mesh-split " + near + "?"
	}
	return fault.Usagef(hint, "unknown command %q", name)
}

// hideInherited keeps kubectl's two dozen connection flags out of every verb's help, as kubectl does; `options` lists them.
func hideInherited(root *cobra.Command) {
	template := `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}Usage:
  {{if .Runnable}}{{.UseLine}}{{else}}{{.CommandPath}} COMMAND{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if and .HasParent .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}

"kubectl mesh-split options" lists the flags that every command takes, such as --context and -n.
`
	root.SetHelpTemplate(template)
	root.SetUsageTemplate(template)
}

func newCmdVersion(s genericiooptions.IOStreams) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cli.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, args []string) error {
			if err := cli.CheckOutput(output, "json"); err != nil {
				return err
			}
			if output == "json" {
				return report.WriteJSON(s.Out, version.Get())
			}
			_, err := fmt.Fprintln(s.Out, version.Get())
			return err
		},
	}
	cli.UsageErrors(c)
	c.Flags().StringVarP(&output, "output", "o", "", "json")
	return c
}

func newCmdOptions(s genericiooptions.IOStreams, root *cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   "options",
		Short: "List the flags that every command takes",
		Args:  cli.Args(cobra.NoArgs),
		Run: func(c *cobra.Command, args []string) {
			fmt.Fprintln(s.Out, "These flags can be given to any command:")
			fmt.Fprintln(s.Out)
			shown := pflag.NewFlagSet("", pflag.ContinueOnError)
			shown.AddFlagSet(root.PersistentFlags())
			fmt.Fprint(s.Out, shown.FlagUsages())
		},
	}
	cli.UsageErrors(c)
	return c
}
