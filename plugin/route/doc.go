// Package route plans changes of Istio and Gateway API weights: which entry, which destinations, which new weights, which
// JSON Patch; and it says whether an Envoy already has them.
//
// It takes decoded objects (map[string]any as the Kubernetes API gives them, never typed structs, so that fields unknown to
// us survive byte for byte) and gives values: a [Plan] of patch operations with its diff, a [Conflict], a [Live] state. It
// refuses to know API servers, contexts, terminals, clocks and users: plugin/mesh reads, writes and asks, and passes
// names and times in. Nothing here does I/O, and no object passed in is ever changed.
//
// The way of a change, and of everything a verb calls:
//
//	terms, err := route.ParseTerms([]string{"v2=30"})          // E_SYNTAX, E_RANGE: before any object is read
//	entries, err := route.Entries(object, mesh)                // http, tcp, tls items or rules, with their destinations
//	entry, err := route.Choose(entries, "")                    // the only weighted one, or --route NAME|INDEX, or E_CHOOSE
//	plan, err := route.PlanSet([]route.Entry{entry}, terms, o) // weights, history item, guarded JSON Patch
//	plan.Nothing(); plan.Diff(context); plan.Lines(); plan.Patch() // show, then send as application/json-patch+json
//	plan.Recheck(reread)                                       // after 422, 409 or a time-out: whose change is in the way
//	plan.Altered(answer)                                       // W_ALTERED: what the server changed beyond the plan
//	route.PlanUndo(object, mesh, revision, o)                  // E_UNDO_STALE, or a Plan as above
//	route.PlanVerdict(object, id, "pass")                      // the verdict of a change, metadata only
//	dump, err := route.ParseDump(bytes); dump.Live(entry, l)   // live, stale, absent, differs
//	entry.Targets()                                            // names, weights, versions that a verification measures
//
// The one subtle point: "weight" has three readings here. Stored is what the key says and may be absent; effective is what
// Istio makes of that (absent is 0 in a VirtualService and 1 in an HTTPRoute; a lone destination gets everything whatever
// its key says); the share is effective weight over their sum, an exact fraction, never a float.
//
// The rules come from the sources of Istio, Envoy and the Gateway API; names such as E_OVER are those of the errors'
// [fault.Error.Name], and each carries a hint.
package route
