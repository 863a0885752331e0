package load

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"
)

// Slot is a place of a request whose octets differ each time it is sent: they are overwritten, and the length stays.
type Slot struct {
	At   int // in the octets of the request
	Kind SlotKind
}

// SlotKind says what stands in a slot.
type SlotKind uint8

// The kinds.
const (
	SlotUUID   SlotKind = iota // a random UUID, RFC 9562 version 4
	SlotNumber                 // 0000000001 for the first request, each number once
	SlotHex                    // 16 random hexadecimal digits
)

// Len is how many octets a slot of this kind has.
func (k SlotKind) Len() int { return [...]int{SlotUUID: 36, SlotNumber: 10, SlotHex: 16}[k] }

// vary fills the slots of one lane's requests. It belongs to one goroutine.
type vary struct {
	x      *run
	random *rand.Rand // identities need not be secret, only different
	own    []byte
}

func newVary(x *run) vary {
	return vary{x: x, random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))}
}

// fresh gives the octets with new values in their slots. They are valid until the next call.
func (v *vary) fresh(octets []byte, slots []Slot) []byte {
	if len(slots) == 0 {
		return octets
	}
	v.own = append(v.own[:0], octets...)
	v.fill(v.own, slots)
	return v.own
}

// fill overwrites the slots.
func (v *vary) fill(b []byte, slots []Slot) {
	for _, s := range slots {
		to := b[s.At : s.At+s.Kind.Len()]
		switch s.Kind {
		case SlotUUID:
			v.uuid(to)
		case SlotHex:
			v.hex(to)
		case SlotNumber:
			for i, n := len(to)-1, v.x.numbers.Add(1); i >= 0; i, n = i-1, n/10 {
				to[i] = '0' + byte(n%10)
			}
		}
	}
}

func (v *vary) hex(to []byte) {
	var b [8]byte
	n := v.random.Uint64()
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
	hex.Encode(to, b[:])
}

// uuid writes 8-4-4-4-12 digits, with the version and the variant in their places.
func (v *vary) uuid(to []byte) {
	var digits [32]byte
	v.hex(digits[:16])
	v.hex(digits[16:])
	digits[12] = '4'
	digits[16] = "89ab"[digits[16]&3]
	at := 0
	for i := range to {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			to[i] = '-'
			continue
		}
		to[i] = digits[at]
		at++
	}
}

// message is the request as it is sent at present, in both forms that HTTP/1.1 needs.
type message struct {
	octets, last         []byte // last announces its connection's end
	slots, slotsWhenLast []Slot
}

func newMessage(octets []byte, slots []Slot) *message {
	const goodbye = "Connection: close\r\n"
	end := headEnd(octets) - 2
	m := &message{octets: octets, slots: slots, last: slices.Concat(octets[:end], []byte(goodbye), octets[end:])}
	for _, s := range slots {
		if s.At >= end {
			s.At += len(goodbye)
		}
		m.slotsWhenLast = append(m.slotsWhenLast, s)
	}
	return m
}
