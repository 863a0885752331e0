package plugin

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/mesh-split/mesh-split/verify/fault"
)

// completeFace is the name under which kubectl looks for a plugin's completion.
const completeFace = "kubectl_complete-mesh_split"

// Main runs the plugin and gives the exit code. Args are those of the process, the program's name first: it decides which
// face is asked for.
func Main(ctx context.Context, args []string, s genericiooptions.IOStreams) fault.Code {
	root := NewCmdRoot(s)
	words := args[1:]
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") == completeFace {
		// kubectl passes the words typed so far; an empty last word asks for anything.
		words = append([]string{cobra.ShellCompRequestCmd}, words...)
	}
	root.SetArgs(words)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.ErrOut)
	err := root.ExecuteContext(ctx)
	fault.Print(s.ErrOut, err)
	return fault.ExitCode(err)
}
