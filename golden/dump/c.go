package dump

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The C format prints types so that a compiler accepts them. The problem: C wants a type declared before its use, and types form a graph
// with cycles. So definitions are put in order, and a forward declaration breaks each cycle. The work has four parts, each in its file:
//
//	csort.go   the order in which types are requested, unless it is the order of ids
//	corder.go  the types to print before a requested one, and the places of forward declarations
//	cstruct.go definitions: members and the padding between them, enumerators
//	cdecl.go   declarations: a type around a name
//	cname.go   names, and the numbers of those that several types have
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
	for _, id := range p.driving(opt) {
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

// A cPrinter holds the state of printing. Its slices are indexed by type id if nothing else is said.
type cPrinter struct {
	// Types and strings, with those of the bases. They are flat, because a type is looked at many times: as itself, as the type of a
	// member or parameter, and in what refers to it.
	kind  []btf.Kind
	start []uint32 // the first word of a type in words, and the end of the last type. Void has no words.
	words []uint32
	text  []byte // by string offset

	pointer    uint64 // size in bytes
	ordered    []progress
	emitted    []progress
	forward    []bool  // a forward declaration was printed
	referenced []bool  // another type refers to it
	nameless   bool    // there is a typedef without a name, which compilers do not make
	layout     []uint8 // alignment and packing, once they are known: see layoutOf
	nth        []uint32
	queue      []uint32
	stack      []uint32 // of declare
	depth      int
	steps      int

	tags   nameUses // names after struct, union, enum
	idents nameUses // names of typedefs and enumerators

	buf []byte
	err error
}

type progress uint8

const (
	untouched progress = iota
	busy
	done
)

// Limits of the recursions, for types that contain themselves or refer to very many others. A kernel takes 2 million steps.
const (
	maxCDepth = 10_000
	maxCSteps = 20_000_000
)

// enter counts a step of a recursion over types, and reports whether to continue. leave ends the step.
func (p *cPrinter) enter(id uint32) bool {
	p.depth++
	return p.step(id)
}

func (p *cPrinter) leave() { p.depth-- }

// step counts a step from one type to another that is no recursion.
func (p *cPrinter) step(id uint32) bool {
	if p.steps++; p.depth > maxCDepth || p.steps > maxCSteps {
		p.fail(id, "contains itself, or too many others")
	}
	return p.err == nil
}

func newCPrinter(o *btf.Object, pointer int) (*cPrinter, error) {
	n := int(o.End())
	p := &cPrinter{
		kind: make([]btf.Kind, n), start: make([]uint32, n+1), pointer: uint64(pointer),
		ordered: make([]progress, n), emitted: make([]progress, n), forward: make([]bool, n), referenced: make([]bool, n),
		layout: make([]uint8, n), nth: make([]uint32, n), tags: newNameUses(n / 10), idents: newNameUses(n / 5),
		buf: make([]byte, 0, flushAt+flushAt/4),
	}
	if err := p.flatten(o); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	p.ordered[0], p.emitted[0] = done, done
	if p.pointer == 0 {
		p.pointer = p.guessPointer()
	}
	return p, nil
}

// flatten fills the tables of types and the strings. They share the memory of the object if it has no base.
func (p *cPrinter) flatten(o *btf.Object) error {
	var chain []*btf.Object
	for ; o != nil; o = o.Base {
		chain = append(chain, o)
	}
	slices.Reverse(chain)
	next := btf.ID(1)
	for _, o := range chain {
		if o.First() != next {
			return fmt.Errorf("type %d: the base has no such type", next)
		}
		at := uint32(len(p.words))
		for i, s := range o.Starts() {
			p.start[int(next)+i] = at + s
		}
		next = o.End()
		if len(chain) == 1 {
			p.words, p.text = o.Words(), o.Strings.Bytes()
		} else {
			p.words, p.text = append(p.words, o.Words()...), append(p.text, o.Strings.Bytes()...)
		}
	}
	p.start[next] = uint32(len(p.words))
	return nil
}

// rec returns the record of a type that is not void.
func (p *cPrinter) rec(id uint32) btf.Record { return btf.Record(p.words[p.start[id]:p.start[id+1]]) }

// check sets the kinds of types. It checks that they are known and that ids can be used as indices, and marks the types that are referenced.
// The return type of a prototype does not count.
func (p *cPrinter) check() error {
	const reference = btf.References | 1<<btf.KindFunc | 1<<btf.KindVar | 1<<btf.KindDeclTag // its third word is the type it refers to
	kind, start, referenced := p.kind, p.start[:len(p.kind)+1], p.referenced
	for id := 1; id < len(kind); id++ {
		r := btf.Record(p.words[start[id]:start[id+1]])
		k := r.Kind()
		kind[id] = k
		at, each := len(r), 1
		switch {
		case reference.Has(k):
			if int(r[2]) >= len(referenced) {
				return missing(uint32(id), r[2])
			}
			referenced[r[2]] = true
			p.nameless = p.nameless || k == btf.KindTypedef && !p.named(r[0])
		case k == btf.KindStruct || k == btf.KindUnion:
			at, each = 4, 3
		case k == btf.KindFuncProto:
			if int(r[2]) >= len(referenced) {
				return missing(uint32(id), r[2])
			}
			at, each = 4, 2
		case k == btf.KindArray:
			at, r = 3, r[:5]
		case k == btf.KindDatasec:
			at, each = 3, 3
		case k >= btf.NumKinds || k == btf.KindVoid:
			return fmt.Errorf("type %d: kind %d is unknown, and C cannot tell it", id, k)
		}
		for ; at < len(r); at += each {
			if int(r[at]) >= len(referenced) {
				return missing(uint32(id), r[at])
			}
			referenced[r[at]] = true
		}
	}
	return nil
}

func missing(id, to uint32) error {
	return fmt.Errorf("type %d refers to type %d, which does not exist", id, to)
}

// longs are the spellings of a type that is as long as a pointer.
var longs = []string{
	"long", "long int", "int long",
	"unsigned long", "long unsigned", "unsigned long int", "unsigned int long",
	"long unsigned int", "long int unsigned", "int unsigned long", "int long unsigned",
}

func (p *cPrinter) guessPointer() uint64 {
	for id, k := range p.kind {
		if k != btf.KindInt {
			continue
		}
		if r := p.rec(uint32(id)); (r.Size() == 4 || r.Size() == 8) && slices.Contains(longs, string(p.name(r.Name()))) {
			return uint64(r.Size())
		}
	}
	return 8
}

func (p *cPrinter) fail(id uint32, problem string) {
	if p.err == nil {
		p.err = fmt.Errorf("type %d (%s): %s", id, p.kind[id], problem)
	}
}

// kfuncs prints the prototypes of functions that BPF programs may call, sorted by name.
func (p *cPrinter) kfuncs() {
	var list []uint32
	fast := map[uint32]bool{}
	for id, k := range p.kind {
		if k != btf.KindDeclTag {
			continue
		}
		r := p.rec(uint32(id))
		if r[3] != ^uint32(0) || p.kind[r[2]] != btf.KindFunc {
			continue
		}
		switch string(p.name(r.Name())) {
		case "bpf_kfunc":
			list = append(list, r[2])
		case "bpf_fastcall":
			fast[r[2]] = true
		}
	}
	name := func(id uint32) []byte { return p.name(p.rec(id).Name()) }
	slices.SortStableFunc(list, func(a, b uint32) int { return bytes.Compare(name(a), name(b)) })
	p.buf = append(p.buf, "\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n"...)
	for _, id := range list {
		p.buf = append(p.buf, "extern "...)
		if fast[id] {
			p.buf = append(p.buf, "__bpf_fastcall "...)
		}
		p.declare(p.rec(id)[2], declaredName{p.rec(id).Name(), 0}, 0)
		p.buf = append(p.buf, " __weak __ksym;\n"...)
	}
	p.buf = append(p.buf, "#endif\n\n"...)
}
