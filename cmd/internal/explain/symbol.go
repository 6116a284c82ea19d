package explain

import (
	"context"
	stdelf "debug/elf"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// An UnknownError says that an image has no function or variable of a name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no function or variable is named %q", e.Name)
}

// Symbol writes what was decided about a name, with the given options and, if both are wanted, whether the other profile decides
// otherwise, or fails. It returns the encoder's warnings with the given options. The error is an *UnknownError if neither the symbol table
// nor the DWARF has the name. Errors do not name the image.
func Symbol(ctx context.Context, w io.Writer, image *elf.File, name string, enc encoder.Encoder, both bool) ([]encoder.Warning, error) {
	mine := listener{name: name}
	warnings, err := mine.hear(ctx, image, enc)
	if err != nil {
		return nil, err
	}
	other := enc
	other.Profile = encoder.Pahole
	if enc.Profile == encoder.Pahole {
		other.Profile = encoder.Default
	}
	theirs := mine
	var failure error // of the other profile
	if both {
		theirs = listener{name: name}
		if _, failure = theirs.hear(ctx, image, other); failure != nil {
			if ctx.Err() != nil {
				return warnings, ctx.Err()
			}
			theirs = mine
		}
	}
	text := compare(&mine, &theirs, enc.Profile.String(), other.Profile.String())
	if text == "" {
		if text, err = fromSymbols(image, name, enc); err != nil {
			return warnings, err
		}
	}
	if text == "" {
		return warnings, &UnknownError{name}
	}
	if failure != nil {
		text += fmt.Sprintf("  profile %s fails, and gives no BTF of this image: %s\n", other.Profile, failure)
	}
	_, err = io.WriteString(w, text)
	return warnings, err
}

// A listener keeps the decisions about one name. Several variables may have it, each in a unit of its own.
type listener struct {
	name string
	fun  *encoder.FuncDecision
	vars []encoder.VarDecision
}

func (l *listener) hear(ctx context.Context, image *elf.File, enc encoder.Encoder) ([]encoder.Warning, error) {
	base, _, _ := strings.Cut(l.name, ".") // functions go by the name in front of what the compiler appends
	enc.OnFunc = func(d encoder.FuncDecision) {
		if d.Name == base {
			l.fun = &d
		}
	}
	enc.OnVar = func(d encoder.VarDecision) {
		if d.Name == l.name {
			l.vars = append(l.vars, d)
		}
	}
	res, err := enc.Encode(ctx, image)
	if err != nil {
		return nil, err
	}
	return res.Warnings, nil
}

// compare tells of every decision and of the other profile's, if that is another one.
func compare(mine, theirs *listener, profile, other string) string {
	var b strings.Builder
	switch {
	case mine.fun != nil:
		a := funcVerdict(mine.fun)
		fmt.Fprintf(&b, "function %s: %s\n  found in %s, profile %s\n", escape.Line(mine.fun.Name), a, units(mine.fun.States), profile)
		different(&b, a, funcVerdict(theirs.fun), other)
	case theirs.fun != nil:
		fmt.Fprintf(&b, "function %s: %s\n", escape.Line(theirs.fun.Name), absent)
		different(&b, absent, funcVerdict(theirs.fun), other)
	}
	left := slices.Clone(theirs.vars)
	for i := range mine.vars {
		d := &mine.vars[i]
		a := varVerdict(d)
		fmt.Fprintf(&b, "variable %s: %s\n  at %s (address %#x), %d bytes, profile %s\n", escape.Line(d.Name), a, place(*d), d.Addr, d.Size, profile)
		match := varAt(left, d)
		different(&b, a, varVerdict(match), other)
		if match != nil {
			*match = encoder.VarDecision{}
		}
	}
	for i := range left {
		if d := &left[i]; d.Name != "" {
			fmt.Fprintf(&b, "variable %s: %s\n  at %s (address %#x), %d bytes, profile %s\n", escape.Line(d.Name), absent, place(*d), d.Addr, d.Size, profile)
			different(&b, absent, varVerdict(d), other)
		}
	}
	return b.String()
}

// absent is the verdict on what a profile never looks at.
const absent = "left out by rule section: no rule is for its section"

func different(b *strings.Builder, mine, theirs, other string) {
	if mine != theirs {
		fmt.Fprintf(b, "  profile %s differs: %s\n", other, theirs)
	}
}

// varAt finds the decision about the same variable, which the units come in the same order for.
func varAt(list []encoder.VarDecision, d *encoder.VarDecision) *encoder.VarDecision {
	for i := range list {
		if list[i].Name == d.Name && list[i].Addr == d.Addr {
			return &list[i]
		}
	}
	return nil
}

func varVerdict(d *encoder.VarDecision) string {
	switch {
	case d == nil:
		return absent
	case d.Reason == encoder.VarKept:
		return "kept"
	}
	return fmt.Sprintf("left out by rule %s: %s", d.Reason.Rule(), d.Reason)
}

func funcVerdict(d *encoder.FuncDecision) string {
	switch {
	case d == nil:
		return "left out by rule definition: no unit defines it"
	case d.Reason == encoder.FuncKept:
		return "kept"
	}
	return fmt.Sprintf("left out by rule %s: %s", d.Reason.Rule(), d.Reason)
}

func units(n int) string {
	if n == 1 {
		return "1 place"
	}
	return fmt.Sprintf("%d places", n)
}

// fromSymbols tells of names that the symbol table has and no decision was about.
func fromSymbols(f *elf.File, name string, enc encoder.Encoder) (string, error) {
	syms, err := f.Symbols()
	if err != nil || syms == nil {
		return "", err
	}
	wanted, err := enc.WantedSections(f)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = syms.Each(func(_ int, y *elf.Symbol) {
		if string(syms.Name(y)) == name {
			b.WriteString(undecided(f, wanted, y, name))
		}
	})
	return b.String(), err
}

// undecided says why nothing was to decide about a symbol.
func undecided(f *elf.File, wanted func(addr uint64) bool, y *elf.Symbol, name string) string {
	shown := escape.Line(name)
	if y.Type() == stdelf.STT_FUNC {
		if i := strings.IndexByte(name, '.'); i >= 0 && (strings.Contains(name[i:], ".cold") || strings.Contains(name[i:], ".part")) {
			return fmt.Sprintf("function %s: left out by rule whole-function: it is a part that the compiler split off\n", shown)
		}
		return fmt.Sprintf("function %s: %s\n", shown, funcVerdict(nil))
	}
	if y.Type() != stdelf.STT_OBJECT && y.Type() != stdelf.STT_NOTYPE {
		return ""
	}
	if uint64(y.Section) >= uint64(len(f.Sections)) || y.Section == 0 {
		return fmt.Sprintf("variable %s: left out by rule section: its symbol is in no section\n", shown)
	}
	s := &f.Sections[y.Section]
	if wanted(y.Value - f.SymbolBase(s) + s.Addr) {
		return fmt.Sprintf("variable %s: left out by rule definition: no unit has a variable of that name in %s\n", shown, escape.Line(s.Name))
	}
	return fmt.Sprintf("variable %s: left out by rule section: no rule is for section %s\n", shown, escape.Line(s.Name))
}
