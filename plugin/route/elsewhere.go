package route

import "slices"

// NotWritten is the verdict of a change that was announced outside of the object and then never made. Such a note and the weights
// are two writes: the note comes first, as pending, and is settled when the weights are written.
const NotWritten = "not-written"

// With is the history together with what is remembered in another place, newest first. Items that are in both count once.
func (h History) With(other History) History {
	out := History{Injections: h.Injections, Warnings: slices.Concat(h.Warnings, other.Warnings)}
	a, b := h.Items, make([]HistoryItem, 0, len(other.Items))
	for _, item := range other.Items {
		if !slices.ContainsFunc(a, item.is) {
			item.noted = true
			b = append(b, item)
		}
	}
	for len(a) > 0 && len(b) > 0 {
		if a[0].ID >= b[0].ID {
			out.Items, a = append(out.Items, a[0]), a[1:]
		} else {
			out.Items, b = append(out.Items, b[0]), b[1:]
		}
	}
	out.Items = slices.Concat(out.Items, a, b)
	return out
}

// is says whether two items are of one change, whatever became of it.
func (i HistoryItem) is(o HistoryItem) bool {
	return i.foreign == o.foreign && i.ID == o.ID && i.Route == o.Route && i.At == o.At && i.By == o.By && i.Op == o.Op
}

// ForgetUnwritten marks the newest changes of an entry that were announced and never made: a program that was killed between the
// two writes leaves such a note, and it must not stand in the way of an undo. The entry tells: it stands as before the change.
func (h History) ForgetUnwritten(entries []Entry) {
	written := map[string]bool{} // the newest written change of the slot was seen: what is older was, too
	for i := range h.Items {
		item := &h.Items[i]
		if item.foreign || written[item.slot()] {
			continue
		}
		e := slices.IndexFunc(entries, func(e Entry) bool { return e.Label() == item.Route && slices.Equal(e.records(), item.Dests) })
		if item.noted && item.Verdict == "pending" && e >= 0 && entries[e].has(item.From) && !entries[e].has(item.To) {
			item.Verdict = NotWritten
			continue
		}
		written[item.slot()] = true
	}
}

func (e Entry) records() []string {
	list := make([]string, len(e.Destinations))
	for i, d := range e.Destinations {
		list[i] = d.Record
	}
	return list
}

// Announced are the items of the plan as they are noted before the weights are written.
func (p *Plan) Announced() []HistoryItem {
	items := slices.Clone(p.Items)
	for i := range items {
		items[i].Verdict = "pending"
	}
	return items
}

// Forewarn says what is lost when the plan is noted in this history: what is there already, or what has no room.
func (h History) Forewarn(p *Plan) []string {
	if len(p.Items) == 0 {
		return nil
	}
	h.Warnings = slices.Clone(h.Warnings)
	h.Add(p.Announced()...)
	return h.Warnings
}

// Settle gives changes their verdicts, by id, where they are remembered.
func (h *History) Settle(verdicts map[int64]string) {
	h.Items = slices.Clone(h.Items)
	h.settle(verdicts)
}

// Withdraw takes announced items back, because the weights were not written. Where a later change has a number already they stay,
// as what they are, so that numbers have no gap; newest is the highest number known in other places.
func (h *History) Withdraw(items []HistoryItem, newest int64) {
	later := len(items) > 0 && (newest > items[0].ID || h.next()-1 > items[0].ID)
	verdicts := map[int64]string{}
	for _, item := range items {
		verdicts[item.ID] = NotWritten
	}
	if later {
		h.Settle(verdicts)
		return
	}
	h.Items = slices.DeleteFunc(slices.Clone(h.Items), func(i HistoryItem) bool { return slices.ContainsFunc(items, i.is) })
}

// Newest is the number of the newest change that is remembered; 0 for none.
func (h History) Newest() int64 { return h.next() - 1 }

// Back are the commands that write the old weights again, for a change that no history remembers.
func (p *Plan) Back() []string {
	var list []string
	for _, c := range p.Changes {
		if command := c.After().command(pointers(c.From)); c.Moves() && command != "" {
			list = append(list, command)
		}
	}
	return list
}
