package load

import "encoding/binary"

// Frames of HTTP/2: RFC 9113, 6.
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameSettings     = 0x4
	framePush         = 0x5
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindow       = 0x8
	frameContinuation = 0x9

	flagAck        = 0x1
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	settingTable   = 0x1
	settingPush    = 0x2
	settingStreams = 0x3
	settingWindow  = 0x4
	settingFrame   = 0x5
	settingList    = 0x6

	codeNone        = 0x0
	codeProtocol    = 0x1
	codeFlowControl = 0x3
	codeFrameSize   = 0x6
	codeRefused     = 0x7
	codeCancel      = 0x8
	codeCompression = 0x9
	codeCalm        = 0xb

	frameHead    = 9
	defaultFrame = 16384 // the largest frame anyone must take
	firstWindow  = 65535 // before anything else is said
	maxWindow    = 1<<31 - 1
	ourWindow    = 1 << 30 // of a stream and of the connection, so that no reply ever waits for us
	maxStreamID  = 1<<31 - 1

	maxContinuations = 8 // behind one HEADERS frame; a choice against floods (CVE-2024-27316 and its kin)
)

// h2preface opens a connection: its words, what we allow, and a wide window (RFC 9113, 3.4).
var h2preface = func() []byte {
	b := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	settings := []uint32{settingTable, 0, settingPush, 0, settingWindow, ourWindow, settingList, maxHead}
	b = appendFrame(b, len(settings)*3, frameSettings, 0, 0)
	for i := 0; i < len(settings); i += 2 {
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, uint16(settings[i])), settings[i+1])
	}
	return appendWindow(b, 0, ourWindow-firstWindow)
}()

// appendFrame writes a frame's head.
func appendFrame(b []byte, length int, kind, flags byte, id uint32) []byte {
	return append(b, byte(length>>16), byte(length>>8), byte(length), kind, flags, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
}

func appendWindow(b []byte, id, octets uint32) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, 4, frameWindow, 0, id), octets)
}

func appendReset(b []byte, id, code uint32) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(b, 4, frameReset, 0, id), code)
}

func appendGoAway(b []byte, code uint32) []byte {
	b = binary.BigEndian.AppendUint32(appendFrame(b, 8, frameGoAway, 0, 0), 0)
	return binary.BigEndian.AppendUint32(b, code)
}

// h2fault is why a connection cannot go on.
type h2fault struct {
	outcome Outcome // of the stream that is to blame, or of all: Malformed or Limit
	stream  uint32  // 0: nobody in particular
	code    uint32
	why     string
}

func malformed(code uint32, why string) *h2fault {
	return &h2fault{outcome: Malformed, code: code, why: why}
}

// unpad cuts padding, and priority if the flags say so, off a payload (RFC 9113, 6.1 and 6.2).
func unpad(payload []byte, flags byte) ([]byte, bool) {
	if flags&flagPadded != 0 {
		if len(payload) == 0 || int(payload[0]) >= len(payload) {
			return nil, false
		}
		payload = payload[1 : len(payload)-int(payload[0])]
	}
	if flags&flagPriority != 0 {
		if len(payload) < 5 {
			return nil, false
		}
		payload = payload[5:]
	}
	return payload, true
}
