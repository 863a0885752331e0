// Package check is `kubectl mesh-split check [NAME [DEST=PERCENT...]]`: everything that set looks at, without a change.
//
// Without a name it says which versions the cluster serves and which rights one has. With a name it adds the gateways, what
// every Envoy holds, and who else owns the object with the snippet that lets both live. With shares it says whether set would
// refuse them, with the same words and exit code 5. It writes nothing and sends no load; rights are asked for by
// SelfSubjectAccessReview, never tried out.
package check
