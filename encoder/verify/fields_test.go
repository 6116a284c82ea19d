package verify

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// generateFields makes blobs of structs with locks, lists, trees and kernel pointers.
func generateFields(r *rand.Rand) []byte {
	b := newBlob()
	one := b.integer("int", 4)
	var types, sizes []uint32
	note := func(id, size uint32) { types, sizes = append(types, id), append(sizes, size) }
	note(one, 4)
	for _, s := range specials {
		if s.name == "" || r.IntN(3) == 0 {
			continue
		}
		size, kind := s.size, uint32(btf.KindStruct)
		if r.IntN(12) == 0 {
			size += 4
		}
		if r.IntN(20) == 0 {
			kind = uint32(btf.KindUnion)
		}
		note(b.add(b.str(s.name), info(kind, 0), size), size)
	}
	if r.IntN(3) == 0 {
		// A kernel pointer to a type that the running kernel has would need a destructor there.
		to := b.add(b.str("verify_local_struct"), info(4, 0), 8)
		if r.IntN(8) == 0 {
			to = one
		}
		note(b.ref(2, b.ref(18, to, []string{"kptr", "kptr_untrusted", "percpu_kptr", "uptr", "x"}[r.IntN(5)])), 8)
	}
	for n := 1 + r.Uint32N(6); n > 0; n-- {
		i := r.IntN(len(types))
		switch r.IntN(6) {
		case 0:
			k := []uint32{0, 1, 2, 3, 4, 11, 12}[r.IntN(7)]
			note(b.add(0, info(3, 0), 0, types[i], one, k), k*sizes[i])
		case 1:
			note(b.ref(8, types[i], "td"), sizes[i])
		default:
			fieldStruct(r, b, &types, &sizes)
		}
	}
	return b.bytes()
}

func fieldStruct(r *rand.Rand, b *blob, types, sizes *[]uint32) {
	name := "s" + fmt.Sprint(r.IntN(4))
	kind := uint32(btf.KindStruct)
	if r.IntN(10) == 0 {
		kind = uint32(btf.KindUnion)
	}
	n := 1 + r.Uint32N(5)
	var words []uint32
	var tags []uint32
	off, size := uint32(0), uint32(0)
	for i := range n {
		k := r.IntN(len(*types))
		if kind == uint32(btf.KindUnion) {
			off = 0
		} else if r.IntN(8) != 0 {
			off = (off + 7) &^ 7
		}
		words = append(words, b.str("m"+fmt.Sprint(i)), (*types)[k], 8*off)
		size = max(size, off+(*sizes)[k])
		off += (*sizes)[k]
		if r.IntN(12) == 0 {
			off -= min(off, 4)
		}
		if r.IntN(2) == 0 {
			tags = append(tags, i)
		}
	}
	if r.IntN(30) == 0 {
		words[len(words)-1]++ // not at a whole byte
		size++
	}
	id := b.add(b.str(name), info(kind, n), (size+7)&^7, words...)
	*types, *sizes = append(*types, id), append(*sizes, (size+7)&^7)
	for _, i := range tags {
		b.add(b.str([]string{"contains:s0:m0", "contains:s1:m1", "contains:s2:m2", "contains:s0:", "contains:none:m0", "contains:s0", "x"}[min(r.IntN(9), r.IntN(7))]), info(17, 0), id, i)
	}
}

// TestRunningKernelFields compares the parse of special fields with the running kernel.
func TestRunningKernelFields(t *testing.T) {
	rk := openRunningKernel(t)
	if !rk.like.generation().fields {
		t.Skip("the running kernel does not check fields at load")
	}
	n, seed := uint64(3000), uint64(0)
	if s := os.Getenv("VERIFY_BLOBS"); s != "" {
		fmt.Sscanf(s, "%d,%d", &n, &seed)
	}
	for i := range n {
		blob := generateFields(rand.New(rand.NewPCG(seed, i)))
		t.Run(fmt.Sprint(i), func(t *testing.T) { rk.compare(t, blob) })
	}
}
