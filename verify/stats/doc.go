// Package stats is arithmetic on counts: how strongly do they speak against a share, how far can the true share be, when
// did it change.
package stats
