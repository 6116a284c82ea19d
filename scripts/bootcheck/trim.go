package main

import (
	"fmt"
	"sort"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A kernel built with an old pahole has less in its BTF than is made today, and no room for it. What can be left out without
// touching types and variables are functions: no type refers to one, only a tag.

// trim leaves out functions, the last ones first, until the BTF is not longer than room. wanted functions stay. It returns the
// BTF as it is if that fits.
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
		return nil, 0, fmt.Errorf("%w: %d bytes without functions, and the kernel's section has %d", errTooLong, len(out), room)
	}
	return out, n, nil
}

// without is the object without some functions, their tags, and the prototypes and strings that nothing else has.
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
