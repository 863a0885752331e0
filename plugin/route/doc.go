// Package route plans changes of Istio and Gateway API weights: which entry, which destinations, which new weights, which
// JSON Patch; and it says whether an Envoy already has them.
//
// It takes decoded objects (map[string]any as the Kubernetes API gives them, never typed structs, so that fields unknown to
// us survive byte for byte) and gives values: a [Plan] of patch operations with its diff, a [Conflict], a [Decision], a
// [LiveReport]. It refuses to know API servers, contexts, terminals, clocks and users: plugin/mesh reads, writes and asks,
// and passes names and times in. Nothing here does I/O, and no object passed in is ever changed.
//
// The way of a change, and what a verb calls on it:
//
//	ParseTerms    "v2=30" as an exact share, before any object is read
//	Entries       the http, tcp and tls items, or rules, of an object, with their destinations made whole
//	Choose        the only entry with weights, or --route NAME|INDEX
//	Mesh.Which    with a probe instead: the entry that governs a request; Decision.Require compares it with what was named
//	Mesh.Reach    whether an entry gives routes at a gateway at all
//	PlanSet       weights, history item, guarded JSON Patch; PlanUndo and PlanRevert likewise for the way back
//	Mesh.Preflight, Owners, CheckOwners   what stands against it
//	Plan.Diff, Plan.Lines, Plan.Patch     shown, then sent as [PatchType]
//	Plan.Recheck  after 422, 409 or a time-out: whose change is in the way; Plan.Again for the next attempt
//	Plan.Altered  what the server changed beyond the plan
//	ParseDump, Dump.Live   whether an Envoy has the weights
//	Entry.Targets names, versions and weights that a verification measures
//	PlanVerdicts  the verdict of a change, metadata only
//
// The one subtle point: "weight" has three readings here. Stored is what the key says and may be absent; effective is what
// Istio makes of that (absent is 0 in a VirtualService and 1 in an HTTPRoute; a lone destination gets everything whatever
// its key says); the share is effective weight over their sum, an exact fraction, never a float.
//
// The rules are those of the sources of Istio (eed52ebb66ad of 2026-08) and Envoy and of the Gateway API's specification;
// where a function restates one, its comment names the file. Errors are fault.Errors whose names, such as E_OVER, are
// stable, and each carries a hint. Text from objects is made safe for a terminal before it enters a message; only fields
// named Name, Host, FQDN, Version, Record, By, Route and Raw hold it as it is stored.
package route
