package batch

import (
	stdelf "debug/elf"
	"time"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden/measure"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A ledger records why per-CPU variables of an image are left out, for the details of its row. A nil one records nothing.
type ledger struct {
	reasons map[variable]encoder.VarReason
}

// ledger returns a new ledger, or nil if no details are wanted.
func (b *batch) ledger(j *Job) *ledger {
	if !b.opt.Details && !b.kept(j) { // a later run may want details of what is kept
		return nil
	}
	return &ledger{reasons: map[variable]encoder.VarReason{}}
}

// A variable is a name at an offset of the per-CPU section.
type variable struct {
	name   string
	offset uint64
}

// hook adds the ledger to the hook OnVar of an encoder.
func (l *ledger) hook(enc *encoder.Encoder) {
	if l == nil {
		return
	}
	next := enc.OnVar
	enc.OnVar = func(d encoder.VarDecision) {
		// Where the section starts at address 0, variables that the linker discarded seem to be in it. They own no storage there.
		if d.Section == btf.SectionPerCPU && d.Reason != encoder.VarKept && d.Reason != encoder.VarNoSymbol {
			l.reasons[variable{d.Name, d.Offset}] = d.Reason
		}
		if next != nil {
			next(d)
		}
	}
}

// leftOut lists the objects of the per-CPU section that have a size, with the reasons why they have no VAR. Those that have one are listed
// too: the caller knows them.
func (l *ledger) leftOut(f *elf.File, sec *elf.Section) (list []measure.Variable) {
	syms, err := f.Symbols()
	if err != nil || syms == nil {
		return nil // the encoder has reported it
	}
	_ = syms.Each(func(_ int, y *elf.Symbol) { // the encoder has read the same symbols
		at := y.Value - f.SymbolBase(sec)
		if y.Type() != stdelf.STT_OBJECT || int(y.Section) != sec.Index || y.Size == 0 || at >= sec.Size {
			return
		}
		v := measure.Variable{Name: string(syms.Name(y)), Offset: at, Size: min(y.Size, sec.Size-at), Rule: "definition",
			Reason: "no compile unit declares a variable of this name here"}
		if r, ok := l.reasons[variable{v.Name, at}]; ok {
			v.Rule, v.Reason = r.Rule(), r.String()
		}
		list = append(list, v)
	})
	return list
}

// details measures the BTF of an image.
func (t *target) details(start time.Time) *report.Details {
	if t.left == nil {
		return nil
	}
	d := &report.Details{Sizes: measure.Of(t.object, len(t.raw.BTF)), Start: t.began.Sub(start).Seconds()}
	if sec := t.image.Section(btf.SectionPerCPU); sec != nil {
		d.PerCPU = measure.InSection(t.object, btf.SectionPerCPU, sec.Size, t.left.leftOut(t.image, sec))
	}
	return d
}

// phases converts measurements of the encoder.
func phases(list []encoder.Phase) []report.Phase {
	out := make([]report.Phase, len(list))
	for i := range list {
		p := &list[i]
		out[i] = report.Phase{Name: p.Name, Seconds: p.Wall.Seconds(), CPU: p.CPU.Seconds(), PeakRSS: p.PeakRSS}
	}
	return out
}

// perCPU counts the VARs of per-CPU variables.
func perCPU(o *btf.Object) (n int) {
	for _, r := range o.All() {
		if r.Kind() == btf.KindDatasec && o.Name(r.Name()) == btf.SectionPerCPU {
			n += r.Vlen()
		}
	}
	return n
}
