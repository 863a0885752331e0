package load

import (
	"sync"
	"sync/atomic"
)

// labels gives each version's name a small index: targets first, then newcomers in the order they are seen, up to
// MaxLabels, then the bucket Other. Lookups take no lock.
type labels struct {
	table atomic.Pointer[[]string]
	mu    sync.Mutex // held to add one
	other atomic.Bool
}

// Other names what is beyond MaxLabels versions together. No version is called so: a usable label is ASCII.
const Other = "other…"

// otherLabel is the index of everything beyond MaxLabels names.
const otherLabel = MaxLabels

func newLabels(targets []string) *labels {
	l := new(labels)
	table := append([]string(nil), targets[:min(len(targets), MaxLabels)]...)
	l.table.Store(&table)
	return l
}

// index looks a label up, last first, the one this worker saw before; it copies label only when it is new.
func (l *labels) index(label []byte, last int) int {
	table := *l.table.Load()
	if last < len(table) && table[last] == string(label) {
		return last
	}
	for i, name := range table {
		if name == string(label) {
			return i
		}
	}
	return l.add(string(label))
}

func (l *labels) add(label string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	table := *l.table.Load()
	for i, name := range table {
		if name == label { // another worker was faster
			return i
		}
	}
	if len(table) == MaxLabels {
		l.other.Store(true)
		return otherLabel
	}
	longer := append(table[:len(table):len(table)], label)
	l.table.Store(&longer)
	return len(table)
}

// names lists the labels by index.
func (l *labels) names() []string {
	table := append([]string(nil), *l.table.Load()...)
	if l.other.Load() {
		table = append(table, Other)
	}
	return table
}

// count is how many indexes are in use.
func (l *labels) count() int {
	if l.other.Load() {
		return MaxLabels + 1
	}
	return len(*l.table.Load())
}
