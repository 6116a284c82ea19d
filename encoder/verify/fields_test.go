package verify

import (
	"fmt"
	"math/rand/v2"
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

// A fieldCase is a struct with special members.
type fieldCase struct {
	name string
	blob []byte
	want string
}

// fieldCases were all put to a running kernel 6.18.
func fieldCases() []fieldCase {
	type m struct {
		typ string // a special name, or one of those below
		off uint32 // in bits
		tag string
	}
	build := func(size uint32, ms ...m) []byte {
		b := newBlob()
		ids := map[string]uint32{"int": b.integer("int", 4)}
		for _, s := range specials {
			if s.name != "" {
				ids[s.name] = b.add(b.str(s.name), info(kStruct, 0), s.size)
			}
		}
		ids["two nodes"] = b.add(0, info(kArray, 0), 0, ids["bpf_list_node"], ids["int"], 2)
		ids["user pointer"] = b.ref(kPtr, b.ref(kTypeTag, ids["int"], "user"))
		ids["kernel pointer"] = b.ref(kPtr, b.ref(kTypeTag, b.add(b.str("verify_local_struct"), info(kStruct, 0), 8), "kptr"))
		ids["twelve"] = b.add(0, info(kArray, 0), 0, ids["kernel pointer"], ids["int"], 12)
		b.add(b.str("held"), info(kStruct, 2), 64, b.str("l"), ids["bpf_list_node"], 0, b.str("n"), ids["int"], 320)
		b.add(b.str("holder"), info(kStruct, 3), 64, b.str("l"), ids["bpf_list_node"], 0, b.str("h"), ids["bpf_list_head"], 192,
			0, ids["bpf_spin_lock"], 320)
		b.add(b.str("contains:held:l"), info(kDeclTag, 0), b.next-1, 1)
		var words []uint32
		for _, m := range ms {
			words = append(words, 0, ids[m.typ], m.off)
		}
		id := b.add(b.str("s"), info(kStruct, uint32(len(ms))), size, words...)
		for i, m := range ms {
			if m.tag != "" {
				b.add(b.str(m.tag), info(kDeclTag, 0), id, uint32(i))
			}
		}
		return b.bytes()
	}
	lock := m{"bpf_spin_lock", 0, ""}
	head := func(tag string) m { return m{"bpf_list_head", 64, tag} }
	return []fieldCase{
		{"lock", build(8, lock), "ok"},
		{"two locks", build(8, lock, m{"bpf_spin_lock", 32, ""}), "E2BIG"},
		{"two sorts of lock", build(8, lock, m{"bpf_res_spin_lock", 32, ""}), "EINVAL"},
		{"misplaced lock", build(8, m{"bpf_spin_lock", 8, ""}), "EFAULT"},
		{"list", build(64, lock, head("contains:held:l")), "ok"},
		{"list without lock", build(64, head("contains:held:l")), "EINVAL"},
		{"list without tag", build(64, lock, head("")), "EINVAL"},
		{"list without member", build(64, lock, head("contains:held")), "EINVAL"},
		{"list of nothing", build(64, lock, head("contains:nothing:l")), "ENOENT"},
		{"list by a missing member", build(64, lock, head("contains:held:x")), "ENOENT"},
		{"list by a member that is no node", build(64, lock, head("contains:held:n")), "EINVAL"},
		{"nodes in an array", build(64, lock, m{"two nodes", 64, ""}), "EINVAL"},
		{"nodes of two sorts", build(64, m{"bpf_list_node", 0, ""}, m{"bpf_rb_node", 192, ""}), "EINVAL"},
		{"nodes of two sorts, counted", build(64, m{"bpf_list_node", 0, ""}, m{"bpf_rb_node", 192, ""}, m{"bpf_refcount", 448, ""}), "ok"},
		{"overlap", build(64, lock, m{"bpf_list_node", 0, ""}), "EEXIST"},
		{"owner that is owned", build(64, lock, m{"bpf_list_node", 64, ""}, m{"bpf_list_head", 256, "contains:holder:l"}), "ELOOP"},
		{"user pointer", build(64, lock, m{"user pointer", 64, ""}), "EINVAL"},
		{"kernel pointer", build(64, lock, m{"kernel pointer", 64, ""}), "ok"},
		{"twelve kernel pointers", build(128, lock, m{"twelve", 64, ""}), "E2BIG"},
		{"bit-field", build(64, lock, m{"int", 65, ""}), "EINVAL"},
	}
}

func TestFields(t *testing.T) {
	for _, tc := range fieldCases() {
		t.Run(tc.name, func(t *testing.T) {
			if got, line := verdict(t, Check(tc.blob, Options{})); got != tc.want {
				t.Errorf("got %s %s, want %s", got, line, tc.want)
			}
		})
	}
}
