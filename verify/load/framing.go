package load

import "math"

// frame decides, at the end of a final head, how long the body is and whether the connection can be kept: RFC 9112, 6.3
// and 9.3. False means that the head is no good.
func (p *Parser) frame() bool {
	connection := p.values[connectionField]
	p.reusable = !listHas(connection, "close") && (p.minor > 0 || listHas(connection, "keep-alive"))
	length, lengthOf := parseLength(p.values[lengthField])
	switch {
	case p.status == 204:
		// No body whatever it announces; but who announces one may send it too.
		if p.have[codingField] || p.have[lengthField] && (lengthOf != numberGood || length != 0) {
			p.reusable = false
		}
		p.phase = complete
	case p.head || p.status == 304:
		p.phase = complete
	case p.have[codingField]:
		return p.frameByCoding()
	case p.have[lengthField]:
		switch lengthOf {
		case numberBad:
			p.fail(Malformed, "the content-length is not one number")
			return false
		case numberBig:
			p.fail(Limit, "the content-length is above 2^63-1")
			return false
		}
		p.left, p.phase = length, inBody
		if length == 0 {
			p.phase = complete
		}
	default:
		p.reusable, p.phase = false, toClose
	}
	return true
}

// frameByCoding is frame where the reply has a Transfer-Encoding, which overrides a Content-Length.
func (p *Parser) frameByCoding() bool {
	if p.minor == 0 {
		p.fail(Malformed, "a transfer-encoding in an HTTP/1.0 reply") // faulty framing: RFC 9112, 6.1
		return false
	}
	chunkeds, last := 0, false
	for rest := p.values[codingField]; len(rest) > 0; {
		var e []byte
		e, rest = nextElement(rest)
		if len(e) == 0 {
			continue
		}
		token := e
		for i, c := range e {
			if c == ';' {
				token = trimSpace(e[:i])
				break
			}
		}
		if last = equalFold(token, "chunked"); !last {
			continue
		}
		if chunkeds++; len(token) != len(e) || chunkeds > 1 {
			p.fail(Malformed, "chunked twice, or with parameters")
			return false
		}
	}
	if p.have[lengthField] {
		p.teCL, p.reusable = true, false
	}
	p.phase = inChunk
	if !last {
		p.phase, p.reusable = toClose, false
	}
	return true
}

// number says how the digits of a length were.
type number uint8

const (
	numberBad  number = iota // not digits, or different numbers
	numberGood               //
	numberBig                // above 2^63-1
)

// parseLength reads the list of a Content-Length: at least one element, each 1*DIGIT, all equal as numbers.
func parseLength(list []byte) (uint64, number) {
	var value uint64
	state := numberBad
	var first []byte
	for len(list) > 0 {
		var e []byte
		e, list = nextElement(list)
		if len(e) == 0 {
			continue
		}
		v, s := parseDigits(e)
		for len(e) > 1 && e[0] == '0' {
			e = e[1:]
		}
		if s == numberBad || first != nil && string(e) != string(first) {
			return 0, numberBad
		}
		first, value, state = e, v, s
	}
	return value, state
}

func parseDigits(s []byte) (uint64, number) {
	var v uint64
	state := numberGood
	for _, c := range s {
		if !isDigit(c) {
			return 0, numberBad
		}
		if d := uint64(c - '0'); v > (math.MaxInt64-d)/10 {
			state = numberBig // but the rest must be digits too
		} else {
			v = v*10 + d
		}
	}
	return v, state
}

// nextElement cuts the first element off a comma list and trims it.
func nextElement(list []byte) (element, rest []byte) {
	for i, c := range list {
		if c == ',' {
			return trimSpace(list[:i]), list[i+1:]
		}
	}
	return trimSpace(list), nil
}

// listHas says whether a comma list holds a token, in any case.
func listHas(list []byte, token string) bool {
	for len(list) > 0 {
		var e []byte
		if e, list = nextElement(list); equalFold(e, token) {
			return true
		}
	}
	return false
}
