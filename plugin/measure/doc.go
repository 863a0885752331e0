// Package measure settles which request an entry governs, finds where load goes in and how replies name their version, and turns
// the entry into the question that verify.Run answers.
//
// It takes a subject and raw flags, and gives a [Site]: an address that answered, a Host, a header to read, and for each
// destination the label by which replies will name it. It refuses to judge, to measure an entry by requests that another
// one governs, and to send anything to an address that the person was not shown first.
//
// The subtle point: at 100/0 no reply ever shows the label of the second version, so labels are never learnt from
// replies alone. A reading (Service namespace, subset, version label, …) that explains every label seen gives the labels of
// the destinations not seen as well.
package measure
