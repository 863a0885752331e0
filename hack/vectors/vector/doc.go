// Package vector checks test vectors against the code they describe: one function per kind of file, which answers with the
// number of cases that agreed and a line for each difference.
//
// The files are data of the specification. They were computed by other means than the code here (80 digits, other series),
// which is their worth; so nothing in this package may compute an expected value. A list it does not know is a difference,
// not a case to skip.
package vector
