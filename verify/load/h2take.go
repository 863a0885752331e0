package load

import (
	"encoding/binary"
	"fmt"
)

// take reads the whole frames that have come and keeps the rest.
func (c *h2conn) take() *h2fault {
	at := 0
	for c.have-at >= frameHead {
		b := c.in[at:c.have]
		length := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		if length > defaultFrame {
			return malformed(codeFrameSize, "a frame above 16384 octets")
		}
		if len(b) < frameHead+length {
			if frameHead+length > len(c.in) {
				c.in = append(c.in, make([]byte, h2buffer-len(c.in))...)
			}
			break
		}
		at += frameHead + length
		id := binary.BigEndian.Uint32(b[5:]) & maxStreamID
		if fault := c.one(b[3], b[4], id, b[frameHead:frameHead+length]); fault != nil {
			return fault
		}
	}
	c.have = copy(c.in, c.in[at:c.have])
	return nil
}

// one reads one frame.
func (c *h2conn) one(kind, flags byte, id uint32, payload []byte) *h2fault {
	switch {
	case c.blockOf != 0 && (kind != frameContinuation || id != c.blockOf):
		return malformed(codeProtocol, "a header block is interrupted")
	case !c.settled && (kind != frameSettings || flags&flagAck != 0):
		return malformed(codeProtocol, "its first frame is not SETTINGS")
	}
	switch kind {
	case frameData:
		return c.data(flags, id, payload)
	case frameHeaders:
		return c.headers(flags, id, payload)
	case frameContinuation:
		return c.continuation(flags, payload)
	case frameReset:
		return c.reset(id, payload)
	case frameSettings:
		return c.settings(flags, id, payload)
	case framePing:
		if id != 0 || len(payload) != 8 {
			return malformed(codeFrameSize, "a broken PING")
		}
		if flags&flagAck == 0 {
			c.out = append(appendFrame(c.out, 8, framePing, flagAck, 0), payload...)
		}
	case frameGoAway:
		return c.goAway(id, payload)
	case frameWindow:
		return c.widen(id, payload)
	case framePush:
		return malformed(codeProtocol, "a push, which we do not allow")
	}
	return nil // what we do not know is none of our business: RFC 9113, 5.5
}

// known finds the stream of a frame that only a request of ours can have. A nil stream without a fault is one that is over.
func (c *h2conn) known(id uint32) (*h2stream, *h2fault) {
	if id&1 == 0 || id >= c.nextID {
		return nil, malformed(codeProtocol, fmt.Sprintf("a frame for stream %d, which was never opened", id))
	}
	return c.find(id), nil
}

func (c *h2conn) data(flags byte, id uint32, payload []byte) *h2fault {
	s, fault := c.known(id)
	if fault != nil {
		return fault
	}
	if c.owed += uint32(len(payload)); c.owed > ourWindow/2 {
		c.out = appendWindow(c.out, 0, c.owed)
		c.owed = 0
	}
	content, ok := unpad(payload, flags&flagPadded)
	if !ok {
		return malformed(codeProtocol, "broken padding")
	}
	if s == nil {
		return nil
	}
	if !s.final {
		s.fail(Malformed, "content before the head")
		c.broken(s)
		return nil
	}
	s.Parser.take(content)
	if flags&flagEndStream != 0 {
		c.complete(s)
		return nil
	}
	if s.owed += uint32(len(payload)); s.owed > ourWindow/2 {
		c.out = appendWindow(c.out, id, s.owed)
		s.owed = 0
	}
	return nil
}

func (c *h2conn) headers(flags byte, id uint32, payload []byte) *h2fault {
	if _, fault := c.known(id); fault != nil {
		return fault
	}
	block, ok := unpad(payload, flags)
	if !ok {
		return malformed(codeProtocol, "broken padding")
	}
	if s := c.find(id); s != nil {
		s.started = true
	}
	if flags&flagEndHeaders == 0 {
		c.blockOf, c.blockEnds, c.block, c.blockFrames = id, flags&flagEndStream != 0, append(c.block[:0], block...), 0
		return nil
	}
	return c.head(id, flags&flagEndStream != 0, block)
}

func (c *h2conn) continuation(flags byte, payload []byte) *h2fault {
	if c.blockOf == 0 {
		return malformed(codeProtocol, "CONTINUATION of nothing")
	}
	c.block = append(c.block, payload...)
	if c.blockFrames++; c.blockFrames > maxContinuations || len(c.block) > maxHead {
		return &h2fault{outcome: Limit, stream: c.blockOf, code: codeCalm, why: "a header block is too long"}
	}
	if flags&flagEndHeaders == 0 {
		return nil
	}
	id := c.blockOf
	c.blockOf = 0
	return c.head(id, c.blockEnds, c.block)
}

// head reads a whole header block: an interim head, the final one, or the trailers.
func (c *h2conn) head(id uint32, ends bool, block []byte) *h2fault {
	s := c.find(id)
	if s == nil {
		return nil // a block changes no state of ours
	}
	trailers := s.final
	done, ok := s.fields(block, c.wants, &c.scratch)
	switch {
	case !ok:
		return &h2fault{outcome: Malformed, stream: id, code: codeCompression, why: "a broken header block"}
	case !done && trailers && !ends:
		s.fail(Malformed, "a second final head")
		done = true
	case !done && ends:
		c.complete(s)
		return nil
	}
	if done {
		c.broken(s)
	}
	return nil
}

func (c *h2conn) reset(id uint32, payload []byte) *h2fault {
	if len(payload) != 4 {
		return malformed(codeFrameSize, "a broken RST_STREAM")
	}
	s, fault := c.known(id)
	if s != nil {
		c.cut(s, binary.BigEndian.Uint32(payload))
	}
	return fault
}

func (c *h2conn) settings(flags byte, id uint32, payload []byte) *h2fault {
	if id != 0 || len(payload)%6 != 0 || flags&flagAck != 0 && len(payload) > 0 {
		return malformed(codeFrameSize, "broken SETTINGS")
	}
	if flags&flagAck != 0 {
		return nil
	}
	for ; len(payload) > 0; payload = payload[6:] {
		value := binary.BigEndian.Uint32(payload[2:])
		switch binary.BigEndian.Uint16(payload) {
		case settingStreams:
			c.limit = int(min(uint32(len(c.streams)), value))
		case settingWindow:
			if value > maxWindow {
				return malformed(codeFlowControl, "a window above 2^31-1")
			}
			for i := range c.streams { // RFC 9113, 6.9.2: what is open moves too, below 0 if need be
				c.streams[i].window += int64(value) - c.initial
			}
			c.initial = int64(value)
		case settingFrame:
			if value < defaultFrame || value > 1<<24-1 {
				return malformed(codeProtocol, "a frame size that is not allowed")
			}
			c.frame = int(min(value, inlineWrite))
		}
	}
	c.settled = true
	c.out = appendFrame(c.out, 0, frameSettings, flagAck, 0)
	return nil
}

// goAway begins the end of the connection. Requests behind the last one it names were not looked at.
func (c *h2conn) goAway(id uint32, payload []byte) *h2fault {
	if id != 0 || len(payload) < 8 {
		return malformed(codeFrameSize, "a broken GOAWAY")
	}
	last, code := binary.BigEndian.Uint32(payload)&maxStreamID, binary.BigEndian.Uint32(payload[4:])
	c.leave(&c.x.r.events.saidClose)
	for i := range c.streams {
		if s := &c.streams[i]; s.id > last && !s.started {
			c.refuse(s, fmt.Sprintf("GOAWAY with code %d", code))
		}
	}
	return nil
}

func (c *h2conn) widen(id uint32, payload []byte) *h2fault {
	if len(payload) != 4 {
		return malformed(codeFrameSize, "a broken WINDOW_UPDATE")
	}
	more := int64(binary.BigEndian.Uint32(payload) & maxWindow)
	if id == 0 {
		if c.window += more; more == 0 || c.window > maxWindow {
			return malformed(codeFlowControl, "a window of 0, or above 2^31-1")
		}
		return nil
	}
	s, fault := c.known(id)
	if s == nil {
		return fault
	}
	if s.window += more; more == 0 || s.window > maxWindow {
		s.fail(Malformed, "a window of 0, or above 2^31-1")
		c.broken(s)
	}
	return nil
}
