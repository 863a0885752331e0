// Package plugin is `kubectl mesh-split`: the command tree over one folder per verb.
//
// It takes arguments and streams and gives an exit code. It refuses to know what verbs do; each verb turns its flags into
// options once, and hands them to the rooms below: plugin/subject and plugin/route say what is meant, plugin/mesh reads and
// writes, plugin/measure and plugin/fleet look at gateways, plugin/change leads an edit from wish to verdict.
//
// The subtle point: one program has two faces. Called through a link named kubectl_complete-mesh_split it completes
// command lines for kubectl, and says nothing else.
package plugin
