// Package screen writes what people read while a verb works: the line that says what is about to be touched, the phases
// with their ticks, tables and the way back.
//
// It takes finished words and writers and gives lines. It refuses to know what they mean. The subtle point: with -o json
// the same lines go to stderr, so that stdout is one document and nobody works blind.
package screen
