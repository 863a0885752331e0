package far

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// preface is what a client of HTTP/2 begins with (RFC 9113, 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// The frame types and flags that matter here (RFC 9113, 6).
const (
	frameData, frameHeaders, frameSettings, framePing, frameWindow = 0, 1, 4, 6, 8

	flagAck, flagEndStream, flagEndHeaders = 1, 1, 4
)

// body is the content of every reply over HTTP/2.
var body = bytes.Repeat([]byte{'.'}, 49)

// streams is a connection of HTTP/2. Requests are not decoded: each HEADERS frame that ends a stream is one, whatever it
// asks for, and the client may compress as it likes, for the replies use no table.
type streams struct {
	greeted bool
	window  int64 // octets of bodies that the client takes on this connection
	out     []byte
}

func newStreams() *streams { return &streams{window: 65535} }

// frames answers the whole frames among the octets, in one write, and says how many octets these were.
func (l *loop) frames(c *conn, octets []byte) (used int) {
	s := c.streams
	s.out = s.out[:0]
	if !s.greeted {
		if len(octets) < len(preface) {
			return 0
		}
		if string(octets[:len(preface)]) != preface {
			l.drop(c)
			return 0
		}
		s.greeted, used = true, len(preface)
		s.frame(frameSettings, 0, 0, []byte{0, 3, 0, 0, 4, 0}) // at most 1024 streams at once
	}
	for len(octets)-used >= 9 {
		head := octets[used:]
		size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
		if len(head) < 9+size {
			break
		}
		used += 9 + size
		payload, flags, stream := head[9:9+size], head[4], binary.BigEndian.Uint32(head[5:])
		switch {
		case head[3] == frameHeaders && flags&flagEndHeaders != 0 && flags&flagEndStream != 0:
			l.arrived()
			l.answerStream(s, stream)
		case head[3] == frameSettings && flags&flagAck == 0:
			s.frame(frameSettings, flagAck, 0, nil)
		case head[3] == framePing && flags&flagAck == 0:
			s.frame(framePing, flagAck, 0, payload)
		case head[3] == frameWindow && stream == 0 && size == 4:
			s.window += int64(binary.BigEndian.Uint32(payload))
		}
	}
	if len(s.out) > 0 {
		l.write(c, s.out)
	}
	return used
}

// answerStream replies at once; delays are for HTTP/1.1 only.
func (l *loop) answerStream(s *streams, stream uint32) {
	if s.window < int64(len(body)) {
		l.count.Unwritten++ // a client that opens no window gets no reply, and the count says so
		return
	}
	s.window -= int64(len(body))
	v := l.draw()
	if v == 0 {
		l.count.V1++
	} else {
		l.count.V2++
	}
	s.frame(frameHeaders, flagEndHeaders, stream, l.blocks[v])
	s.frame(frameData, flagEndStream, stream, body)
}

func (s *streams) frame(kind, flags byte, stream uint32, payload []byte) {
	n := len(payload)
	s.out = append(s.out, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	s.out = binary.BigEndian.AppendUint32(s.out, stream)
	s.out = append(s.out, payload...)
}

// block is the header block of a reply: literals without indexing, no Huffman (RFC 7541, 6.2.2).
func block(status int, version string) []byte {
	var b []byte
	for _, field := range [][2]string{{":status", strconv.Itoa(status)}, {"server", "istio-envoy"}, {"content-type", "text/plain"},
		{"x-app-version", version}, {"x-envoy-upstream-service-time", "0"}, {"content-length", strconv.Itoa(len(body))}} {
		b = append(b, 0)
		for _, text := range field {
			b = append(append(b, byte(len(text))), text...)
		}
	}
	return b
}
