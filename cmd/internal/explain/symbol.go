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

// An UnknownError is the error for a name that no function or variable of the image has.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no function or variable is named %q in the symbol table or DWARF", e.Name)
}

// Symbol writes the decisions about a name under the given options. If both is true, it also writes those of the other profile, or its
// error. It returns the encoder's warnings under the given options. The error is an *UnknownError if neither the symbol
// table nor the DWARF has the name. Errors do not name the image.
func Symbol(ctx context.Context, w io.Writer, image *elf.File, name string, enc encoder.Encoder, both bool) ([]encoder.Warning, error) {
	mine := recorder{name: name}
	res, err := mine.on(enc).Encode(ctx, image)
	if err != nil {
		return nil, err
	}
	warnings := res.Warnings
	other := enc
	other.Profile = encoder.Pahole
	if enc.Profile == encoder.Pahole {
		other.Profile = encoder.Default
	}
	var theirs *recorder
	var failure error // of the other profile
	if both {
		theirs = &recorder{name: name}
		if failure = theirs.on(other).DecideName(ctx, image, theirs.base(), res); failure != nil {
			if ctx.Err() != nil {
				return warnings, ctx.Err()
			}
			theirs = nil
		}
	}
	text := compare(&mine, theirs, enc.Profile.String(), other.Profile.String())
	if text == "" {
		if text, err = fromSymbols(image, name, enc); err != nil {
			return warnings, err
		}
	}
	if text == "" {
		return warnings, &UnknownError{name}
	}
	if failure != nil {
		text += fmt.Sprintf("  profile %s cannot encode this image: %s\n", other.Profile, failure)
	}
	_, err = io.WriteString(w, text)
	return warnings, err
}

// A recorder records the decisions about one name. Several variables may have it, in different CUs.
type recorder struct {
	name string
	fun  *encoder.FuncDecision
	vars []encoder.VarDecision
}

// base returns the name without the suffix that a compiler appends to the name of a function.
func (r *recorder) base() string {
	base, _, _ := strings.Cut(r.name, ".")
	return base
}

// on returns an encoder that records the decisions about the name.
func (r *recorder) on(enc encoder.Encoder) *encoder.Encoder {
	base := r.base() // decisions have the name of a function without a suffix
	enc.OnFunc = func(d encoder.FuncDecision) {
		if d.Name == base {
			r.fun = &d
		}
	}
	enc.OnVar = func(d encoder.VarDecision) {
		if d.Name == r.name {
			r.vars = append(r.vars, d)
		}
	}
	return &enc
}

// compare returns the text of every decision. With theirs, it says of each whether the other profile decides the same.
func compare(mine, theirs *recorder, profile, other string) string {
	var b strings.Builder
	second := func(mine, theirs string) { b.WriteString(opinion(mine, theirs, other)) }
	if theirs == nil {
		second = func(_, _ string) {}
		theirs = &recorder{}
	}
	switch {
	case mine.fun != nil:
		a := funcVerdict(mine.fun)
		fmt.Fprintf(&b, "function %s: %s\n  %s, profile %s\n", escape.Line(mine.fun.Name), a, copies(mine.fun.States), profile)
		second(a, funcVerdict(theirs.fun))
	case theirs.fun != nil:
		fmt.Fprintf(&b, "function %s: %s\n", escape.Line(theirs.fun.Name), absent)
		second(absent, funcVerdict(theirs.fun))
	}
	left := slices.Clone(theirs.vars)
	for i := range mine.vars {
		d := &mine.vars[i]
		a := varVerdict(d)
		fmt.Fprintf(&b, "variable %s: %s\n  at %s (address %#x), %d bytes, profile %s\n", escape.Line(d.Name), a, place(*d), d.Addr, d.Size, profile)
		match := varAt(left, d)
		second(a, varVerdict(match))
		if match != nil {
			*match = encoder.VarDecision{}
		}
	}
	for i := range left {
		if d := &left[i]; d.Name != "" {
			fmt.Fprintf(&b, "variable %s: %s\n  at %s (address %#x), %d bytes, profile %s\n", escape.Line(d.Name), absent, place(*d), d.Addr, d.Size, profile)
			second(absent, varVerdict(d))
		}
	}
	return b.String()
}

// absent is the verdict on a variable that a profile does not consider.
const absent = "left out by rule section: no section rule matches its section"

// opinion returns the line about the decision of the other profile.
func opinion(mine, theirs, other string) string {
	if mine == theirs {
		return fmt.Sprintf("  profile %s: the same\n", other)
	}
	return fmt.Sprintf("  profile %s differs: %s\n", other, theirs)
}

// varAt finds the decision about the variable of the same name and address. CUs come in the same order under both profiles.
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
		return "left out by rule definition: no CU defines it"
	case d.Reason == encoder.FuncKept:
		return "kept"
	}
	return fmt.Sprintf("left out by rule %s: %s", d.Reason.Rule(), d.Reason)
}

// copies says how many subprograms of DWARF a function has.
func copies(n int) string {
	if n == 1 {
		return "1 copy in DWARF"
	}
	return fmt.Sprintf("%d copies in DWARF", n)
}

// fromSymbols returns the text for a name that only the symbol table has, because the encoder had nothing to decide about it.
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

// undecided returns the reason why the encoder had nothing to decide about a symbol.
func undecided(f *elf.File, wanted func(addr uint64) bool, y *elf.Symbol, name string) string {
	shown := escape.Line(name)
	if y.Type() == stdelf.STT_FUNC {
		if i := strings.IndexByte(name, '.'); i >= 0 && (strings.Contains(name[i:], ".cold") || strings.Contains(name[i:], ".part")) {
			return fmt.Sprintf("function %s: left out by rule whole-function: it is a part of a function that the compiler split off\n", shown)
		}
		return fmt.Sprintf("function %s: %s\n", shown, funcVerdict(nil))
	}
	if y.Type() != stdelf.STT_OBJECT && y.Type() != stdelf.STT_NOTYPE {
		return ""
	}
	if uint64(y.Section) >= uint64(len(f.Sections)) || y.Section == 0 {
		return fmt.Sprintf("variable %s: left out by rule section: its symbol has no section\n", shown)
	}
	s := &f.Sections[y.Section]
	if wanted(y.Value - f.SymbolBase(s) + s.Addr) {
		return fmt.Sprintf("variable %s: left out by rule definition: no CU has a variable of that name in %s\n", shown, escape.Line(s.Name))
	}
	return fmt.Sprintf("variable %s: left out by rule section: no section rule matches %s\n", shown, escape.Line(s.Name))
}
