// Package explain shows why the encoder kept a function or variable, or left it out.
//
// Input: an image, options and a name. Output: text with the decision, its rule, and the decision of the other profile. The package
// encodes the image and records the encoder's decisions. Never: it decides nothing itself.
package explain

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// A List writes a line for every function and variable that is left out: kind, place, name, rule and reason, separated by tabs.
type List struct {
	W   io.Writer
	Err error // the first error of W
}

// Func writes the line of a function that is left out. It is an encoder.Hooks.OnFunc.
func (l *List) Func(d encoder.FuncDecision) {
	if d.Reason != encoder.FuncKept {
		l.line("func", "-", d.Name, d.Reason.Rule(), d.Reason)
	}
}

// Var writes the line of a variable that is left out. It is an encoder.Hooks.OnVar.
func (l *List) Var(d encoder.VarDecision) {
	if d.Reason != encoder.VarKept {
		l.line("var", place(d), cmp.Or(d.Name, "-"), d.Reason.Rule(), d.Reason)
	}
}

func (l *List) line(what, place, name, rule string, reason fmt.Stringer) {
	if l.Err == nil {
		_, l.Err = fmt.Fprintf(l.W, "%s\t%s\t%s\t%s\t%s\n", what, place, escape.Line(name), rule, reason)
	}
}

func place(d encoder.VarDecision) string {
	if d.Section == "" {
		return fmt.Sprintf("%#x", d.Addr)
	}
	return fmt.Sprintf("%s+%#x", escape.Line(d.Section), d.Offset)
}

// Excluded lists everything that is left out of an image. It returns the warnings of the encoder. Errors do not name the image.
func Excluded(ctx context.Context, w io.Writer, image *elf.File, enc encoder.Encoder) ([]encoder.Warning, error) {
	l := List{W: w}
	enc.OnFunc, enc.OnVar = l.Func, l.Var
	res, err := enc.Encode(ctx, image)
	if err != nil {
		return nil, err
	}
	return res.Warnings, l.Err
}
