// Package wait is `kubectl mesh-split wait NAME --for=live|DEST=PERCENT`: until every gateway has the object's weights,
// whoever wrote them.
//
// It changes nothing. The subtle point: the object may change while its weights travel; what is waited for is always what
// the object says last.
package wait
