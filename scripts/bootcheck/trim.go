package main

import (
	"fmt"
	"sort"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The BTF section of a kernel that was built with an old pahole is too small for today's BTF. Functions can be left out without
// changing types and variables, because only tags refer to functions.

// trim leaves out functions, the last ones first, until the BTF has at most room bytes. It keeps the wanted functions. If the BTF
// fits, it is returned unchanged.
func trim(blob []byte, room int, wanted map[string]bool) (out []byte, dropped int, err error) {
	o, err := btf.Parse(blob, nil)
	if err != nil || len(blob) <= room {
		return blob, 0, err
	}
	var spare []btf.ID
	for id, r := range o.All() {
		if r.Kind() == btf.KindFunc && !wanted[o.Name(r.Name())] {
			spare = append(spare, id)
		}
	}
	n := sort.Search(len(spare), func(n int) bool {
		out = without(o, spare[len(spare)-n:]).AppendWire(nil)
		return len(out) <= room
	})
	out = without(o, spare[len(spare)-n:]).AppendWire(nil)
	if len(out) > room {
		return nil, 0, fmt.Errorf("%w: it has %d bytes without functions, the section has %d", errTooLong, len(out), room)
	}
	return out, n, nil
}

// without returns the BTF object without some functions, their tags, and the prototypes and strings that only they use.
func without(o *btf.Object, funcs []btf.ID) *btf.Object {
	drop := make([]bool, o.End())
	for _, id := range funcs {
		drop[id] = true
	}
	used := make([]bool, o.End())
	for id, r := range o.All() {
		if r.Kind() == btf.KindDeclTag && drop[r.Type()] {
			drop[id] = true
		}
		if !drop[id] {
			r.References(func(ref *uint32) { used[*ref] = true })
		}
	}
	ids, next := make([]uint32, o.End()), uint32(1)
	for id, r := range o.All() {
		drop[id] = drop[id] || r.Kind() == btf.KindFuncProto && !used[id]
		if !drop[id] {
			ids[id] = next
			next++
		}
	}
	out := btf.New(o.Order, nil)
	for id, r := range o.All() {
		if drop[id] {
			continue
		}
		out.Append(r...)
		kept := out.Last()
		kept.References(func(ref *uint32) { *ref = ids[*ref] })
		kept.StringOffsets(func(off *uint32) { *off = out.Strings.Add([]byte(o.Name(*off))) })
	}
	return out
}
