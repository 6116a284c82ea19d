package dump

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The C format prints types so that a compiler accepts them. The problem: C wants a type declared before its use, and types form a graph
// with cycles. So definitions are put in order, and a forward declaration breaks each cycle. The work has four parts, each in its file:
//
//	csort.go   the order in which types are requested, unless it is the order of ids
//	corder.go  the types to print before a requested one, and the places of forward declarations
//	cstruct.go definitions: members and the padding between them, enumerators
//	cdecl.go   declarations: a type around a name
//
// The rules are bpftool's (rules 04/B.5, 04/B.6, 04/B.7 and 04/B.8). Rules that look odd are intended.

// COptions select what WriteC prints. The zero value is the behaviour of bpftool without options.
type COptions struct {
	// Roots are the types to print, with all types that they need. nil prints all types, including those of the base.
	Roots []btf.ID
	// Unsorted requests types in the order of their ids, not of their names.
	Unsorted bool
	// PointerSize is 4 or 8 bytes if it is known. 0 means that the types determine it.
	PointerSize int
}

const cPreamble = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

#ifndef __bpf_fastcall
#if __has_attribute(bpf_fastcall)
#define __bpf_fastcall __attribute__((bpf_fastcall))
#else
#define __bpf_fastcall
#endif
#endif

`

const cEpilogue = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`

// WriteC writes what `bpftool btf dump file F format c` prints. A type that C cannot express ends the text at that point, with an error.
func WriteC(w io.Writer, o *btf.Object, opt COptions) error {
	p, err := newCPrinter(o, opt.PointerSize)
	if err != nil {
		return err
	}
	p.buf = append(p.buf, cPreamble...)
	for id := range p.driving(opt) {
		if p.typ(id); p.err != nil {
			break
		}
		if len(p.buf) >= flushAt {
			if _, err := w.Write(p.buf); err != nil {
				return err
			}
			p.buf = p.buf[:0]
		}
	}
	if p.err == nil && opt.Roots == nil {
		p.kfuncs()
	}
	if p.err == nil {
		p.buf = append(p.buf, cEpilogue...)
	}
	if _, err := w.Write(p.buf); err != nil {
		return err
	}
	return p.err
}

// A cPrinter holds the state of printing. Its slices are indexed by type id.
type cPrinter struct {
	o          *btf.Object
	rec        []btf.Record // all types, including those of the base
	pointer    uint64       // size in bytes
	ordered    []progress
	emitted    []progress
	forward    []bool // a forward declaration was printed
	referenced []bool // another type refers to it
	queue      []uint32
	depth      int
	steps      int
	looks      int // steps of sorting so far

	name   []string       // the name to print for a type, once it is chosen
	tags   map[string]int // uses of names after struct, union, enum
	idents map[string]int // uses of names of typedefs and enumerators

	buf []byte
	err error
}

type progress uint8

const (
	untouched progress = iota
	busy
	done
)

// Limits of the recursions, for types that contain themselves or refer to very many others. A kernel takes 2 million steps, and fewer
// looks.
const (
	maxCDepth = 10_000
	maxCSteps = 20_000_000
	maxCLooks = 50_000_000
)

// enter counts a step of a recursion over types, and reports whether to continue. leave ends the step.
func (p *cPrinter) enter(id uint32) bool {
	p.depth++
	if p.steps++; p.depth > maxCDepth || p.steps > maxCSteps {
		p.fail(id, "contains itself, or too many others")
	}
	return p.err == nil
}

func (p *cPrinter) leave() { p.depth-- }

func newCPrinter(o *btf.Object, pointer int) (*cPrinter, error) {
	n := int(o.End())
	p := &cPrinter{
		o: o, rec: make([]btf.Record, n), pointer: uint64(pointer),
		ordered: make([]progress, n), emitted: make([]progress, n), forward: make([]bool, n), referenced: make([]bool, n),
		name: make([]string, n), tags: map[string]int{}, idents: map[string]int{},
	}
	for id := range p.rec {
		r, ok := o.Record(btf.ID(id))
		if !ok {
			return nil, fmt.Errorf("type %d: the base has no such type", id)
		}
		if r.Kind() >= btf.NumKinds || id > 0 && r.Kind() == btf.KindVoid {
			return nil, fmt.Errorf("type %d: kind %d is unknown, and C cannot tell it", id, r.Kind())
		}
		p.rec[id] = r
	}
	for id, r := range p.rec {
		if err := p.checkReferences(id, r); err != nil {
			return nil, err
		}
	}
	p.ordered[0], p.emitted[0] = done, done
	if p.pointer == 0 {
		p.pointer = p.guessPointer()
	}
	return p, nil
}

// checkReferences checks that ids can be used as indices, and marks the types that are referenced. The return type of a prototype does not
// count.
func (p *cPrinter) checkReferences(id int, r btf.Record) (err error) {
	returned := r.Kind() == btf.KindFuncProto
	r.References(func(to *uint32) {
		if int(*to) >= len(p.rec) {
			err = fmt.Errorf("type %d refers to type %d, which does not exist", id, *to)
			return
		}
		if !returned {
			p.referenced[*to] = true
		}
		returned = false
	})
	return err
}

// longs are the spellings of a type that is as long as a pointer.
var longs = []string{
	"long", "long int", "int long",
	"unsigned long", "long unsigned", "unsigned long int", "unsigned int long",
	"long unsigned int", "long int unsigned", "int unsigned long", "int long unsigned",
}

func (p *cPrinter) guessPointer() uint64 {
	for _, r := range p.rec {
		if r.Kind() == btf.KindInt && (r.Size() == 4 || r.Size() == 8) && slices.Contains(longs, p.text(r.Name())) {
			return uint64(r.Size())
		}
	}
	return 8
}

func (p *cPrinter) text(off uint32) string { return p.o.Name(off) }

func (p *cPrinter) fail(id uint32, problem string) {
	if p.err == nil {
		p.err = fmt.Errorf("type %d (%s): %s", id, p.rec[id].Kind(), problem)
	}
}

// kfuncs prints the prototypes of functions that BPF programs may call, sorted by name.
func (p *cPrinter) kfuncs() {
	var list []uint32
	fast := map[uint32]bool{}
	for _, r := range p.rec {
		if r.Kind() != btf.KindDeclTag || r[3] != ^uint32(0) || p.rec[r[2]].Kind() != btf.KindFunc {
			continue
		}
		switch p.text(r.Name()) {
		case "bpf_kfunc":
			list = append(list, r[2])
		case "bpf_fastcall":
			fast[r[2]] = true
		}
	}
	name := func(id uint32) string { return p.text(p.rec[id].Name()) }
	slices.SortStableFunc(list, func(a, b uint32) int { return strings.Compare(name(a), name(b)) })
	p.buf = append(p.buf, "\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n"...)
	for _, id := range list {
		p.buf = append(p.buf, "extern "...)
		if fast[id] {
			p.buf = append(p.buf, "__bpf_fastcall "...)
		}
		p.declare(p.rec[id][2], name(id), 0)
		p.buf = append(p.buf, " __weak __ksym;\n"...)
	}
	p.buf = append(p.buf, "#endif\n\n"...)
}
