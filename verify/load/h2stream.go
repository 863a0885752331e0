package load

import "fmt"

// answer serves the streams whose turns have come.
func (c *h2conn) answer() {
	c.mu.Lock()
	c.calls, c.summoned = append(c.calls[:0], c.summoned...), c.summoned[:0]
	c.mu.Unlock()
	for _, i := range c.calls {
		s := &c.streams[i]
		if !s.queued {
			continue
		}
		s.queued = false
		c.queued--
		switch c.x.turns.resume(&s.ticket) {
		case send:
			if c.closing == nil && c.busy < c.limit {
				c.begin(i)
				continue
			}
			c.x.turns.giveBack(&s.ticket)
		case quit:
			c.ending = true
		}
		c.free = append(c.free, i)
	}
}

// start begins requests on free streams, as far as the far side allows, or has them wait for their turns.
func (c *h2conn) start() {
	if c.x.stopping.Load() {
		c.ending = true
	}
	for len(c.free) > 0 && !c.ending && c.closing == nil && c.busy+c.queued < c.limit {
		i := c.free[len(c.free)-1]
		c.free = c.free[:len(c.free)-1]
		s := &c.streams[i]
		s.queued = true // before a kick can come
		switch c.x.turns.arrive(&s.ticket) {
		case send:
			s.queued = false
			c.begin(i)
		case wait:
			c.queued++
		case quit:
			s.queued, c.ending = false, true
			c.free = append(c.free, i)
		}
	}
}

// begin begins a request on a stream: its index is taken here, just before its first octet is written.
func (c *h2conn) begin(i int) {
	s := &c.streams[i]
	c.parser, c.ticket.intended = s.Parser, s.ticket.intended
	res, _, ok := c.lane.begin(c.x.r.now())
	if !ok {
		c.ending = true
		c.free = append(c.free, i)
		return
	}
	s.h2reply.begin(c.x.plan.Head)
	if m := c.x.message.Load(); m != c.message {
		c.message, c.request = m, newH2Request(m, c.x.plan.TLS != nil)
	}
	c.vary.fill(c.request.block, c.request.slots)
	s.res, s.id, s.body, s.window, s.owed = res, c.nextID, c.request.body, c.initial, 0
	if len(c.request.bodySlots) > 0 {
		s.own = append(s.own[:0], s.body...)
		c.vary.fill(s.own, c.request.bodySlots)
		s.body = s.own
	}
	c.places[int(s.id>>1)&(len(c.places)-1)] = i
	c.out = c.request.appendTo(c.out, s.id, c.begun == 0, c.frame)
	c.nextID += 2
	c.busy++
	c.begun++
	if n := c.x.plan.ConnRequests; n > 0 && c.begun >= n || c.nextID > maxStreamID-2 {
		c.leave(&c.x.r.events.reconnected)
	}
}

// feed sends content as far as the far side's windows allow.
func (c *h2conn) feed() {
	if c.request == nil || len(c.request.body) == 0 {
		return
	}
	for i := range c.streams {
		s := &c.streams[i]
		for s.id != 0 && len(s.body) > 0 {
			n := int(min(int64(len(s.body)), int64(c.frame), c.window, s.window))
			if n <= 0 {
				break
			}
			flags := byte(0)
			if n == len(s.body) {
				flags = flagEndStream
			}
			c.out = append(appendFrame(c.out, n, frameData, flags, s.id), s.body[:n]...)
			s.body = s.body[n:]
			c.window -= int64(n)
			s.window -= int64(n)
			if len(c.out) > inlineWrite {
				if c.flush(); len(c.out) > 0 {
					return // they are not taken yet: enough for now
				}
			}
		}
	}
}

// find is the stream of an id, nil if its request is over or never was.
func (c *h2conn) find(id uint32) *h2stream {
	if id == 0 {
		return nil
	}
	if s := &c.streams[c.places[int(id>>1)&(len(c.places)-1)]]; s.id == id {
		return s
	}
	for i := range c.streams { // its hint was overwritten by a later request
		if c.streams[i].id == id {
			return &c.streams[i]
		}
	}
	return nil
}

// end records how a request ended, and frees its stream.
func (c *h2conn) end(s *h2stream, how End) {
	c.parser = s.Parser
	s.res.received = c.now
	if c.x.plan.GRPC && how == Done && s.phase == complete {
		s.res.grpc, s.res.judged = int16(s.grpc), true
	}
	c.lane.end(&s.res, how)
	c.release(s)
}

func (c *h2conn) release(s *h2stream) {
	if len(s.body) > 0 && !c.unwritable {
		c.out = appendReset(c.out, s.id, codeCancel) // the rest of the content is not worth sending
	}
	s.id, s.body = 0, nil
	c.busy--
	c.free = append(c.free, s.index)
}

// complete ends a stream that the far side has ended. If the content is not sent yet, the reply counts all the same.
func (c *h2conn) complete(s *h2stream) {
	s.h2reply.end()
	c.end(s, Done)
}

// broken ends a stream whose reply is no good; the connection goes on.
func (c *h2conn) broken(s *h2stream) {
	s.body = nil
	c.out = appendReset(c.out, s.id, codeProtocol)
	c.end(s, Done)
}

// refuse ends a request that the far side says it did not look at (RFC 9113, 8.7).
func (c *h2conn) refuse(s *h2stream, why string) {
	c.x.r.notes.add(Refused, func() string { return why })
	s.res.outcome, s.res.label, s.res.received, s.body = Refused, Unattributed, c.now, nil
	c.scribe.end(s.res)
	c.release(s)
}

// cut ends a stream that the far side has reset.
func (c *h2conn) cut(s *h2stream, code uint32) {
	if code == codeRefused && !s.started {
		c.refuse(s, "REFUSED_STREAM")
		return
	}
	c.x.r.notes.add(Truncated, func() string { return fmt.Sprintf("the stream was reset with code %d", code) })
	s.body = nil
	c.end(s, Cut)
}

// expire gives up requests whose time is over. A connection on which nothing at all came since such a request is no good
// any more.
func (c *h2conn) expire() {
	if c.busy == 0 || c.reads > c.now {
		return
	}
	for i := range c.streams {
		s := &c.streams[i]
		if s.id == 0 || c.now-s.res.sent < c.x.plan.ReplyTimeout {
			continue
		}
		if c.heard < s.res.sent {
			c.leave(&c.x.r.events.failed)
		}
		s.body = nil
		c.out = appendReset(c.out, s.id, codeCancel)
		c.end(s, Deadline)
	}
}
