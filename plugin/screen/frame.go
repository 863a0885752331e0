package screen

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Frame is text on a terminal that is drawn in place of what it was before. It never clears what it did not draw.
type Frame struct {
	out    io.Writer
	height func() int // of the screen in lines; 0 is unknown
	drawn  int        // lines that stand on the screen
}

// NewFrame makes a Frame, or nil where out is no terminal.
func NewFrame(out io.Writer) *Frame {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &Frame{out: out, height: func() int {
		_, height, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return height
	}}
}

// Draw shows text, which ends with a line end. Lines are cut at the edge of the screen. Text that is higher than the screen
// is written below what is there: its beginning cannot be reached any more.
func (f *Frame) Draw(text string) {
	up := ""
	if f.drawn > 0 {
		up = fmt.Sprintf("\x1b[%dA\r\x1b[J", f.drawn)
	}
	f.drawn = strings.Count(text, "\n")
	if h := f.height(); h > 0 && f.drawn >= h {
		f.drawn = 0
	}
	// Without wrapping a line is a row, whatever the width.
	fmt.Fprint(f.out, up+"\x1b[?7l"+text+"\x1b[?7h")
}
