package route

// truth is the answer to one condition: what cannot be known from the objects stays unknown, and never becomes a yes.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return yes - t }

// both is the logical and: a no decides, and an unknown beats a yes.
func both(a, b truth) truth { return min(a, b) }
