package load

// Away are the status codes by which something answers in place of a version, or repeats what one said before: whoever caches,
// asks for credentials, or limits. Their replies are counted one by one, because a class of codes does not tell them.
var Away = [...]int{304, 401, 403, 429}

// AwayCounts counts replies by the codes of Away.
type AwayCounts [len(Away)]uint64

func (c *AwayCounts) count(status int) {
	for i, code := range Away {
		if status == code {
			c[i]++
		}
	}
}
