package verify

import (
	"fmt"
	"testing"
)

// A fieldCase is a struct with special members.
type fieldCase struct {
	name string
	blob []byte
	want string
}

// fieldCases were all tried on a running kernel 6.18.
func fieldCases() []fieldCase {
	type m struct {
		typ string // a special name, or one of the names below
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
		// behind makes a pointer to a type tag on a type. The tag may have the kind flag.
		behind := func(text string, flag, to uint32) uint32 {
			return b.ref(kPtr, b.add(b.str(text), info(kTypeTag, 0)|flag, to))
		}
		local := b.add(b.str("verify_local_struct"), info(kStruct, 0), 8)
		for name, id := range map[string]uint32{"user": behind("user", 0, local), "kptr": behind("kptr", 0, local)} {
			ids["volatile "+name] = b.ref(kVolatile, id)
			ids["volatile volatile "+name] = b.ref(kVolatile, ids["volatile "+name])
			ids["const "+name] = b.ref(kConst, id)
			ids["typedef "+name] = b.ref(kTypedef, id, "td")
		}
		for _, name := range []string{"user", "kptr", "uptr", "anything"} {
			ids["attribute "+name] = behind(name, kindFlagBit, local)
			ids["volatile attribute "+name] = b.ref(kVolatile, ids["attribute "+name])
		}
		ids["kptr const"] = behind("kptr", 0, b.ref(kConst, b.ref(kTypedef, local, "td")))
		ids["kptr int"] = behind("kptr", 0, ids["int"])
		ids["uptr int"] = behind("uptr", 0, ids["int"])
		ids["two tags"] = behind("uptr", 0, b.ref(kTypeTag, local, "kptr"))
		ids["tag and attribute"] = behind("kptr", 0, b.add(b.str("user"), info(kTypeTag, 0)|kindFlagBit, local))
		ids["attribute and tag"] = behind("user", kindFlagBit, b.ref(kTypeTag, local, "user"))
		ids["owned lock"] = behind("kptr", 0, ids["bpf_spin_lock"])
		ids["owned const lock"] = behind("kptr", 0, b.ref(kConst, ids["bpf_spin_lock"]))
		ids["untrusted lock"] = behind("kptr_untrusted", 0, ids["bpf_spin_lock"])
		ids["per-CPU lock"] = behind("percpu_kptr", 0, ids["bpf_spin_lock"])
		for depth, of := 1, ids["kernel pointer"]; depth <= 32; depth++ {
			of = b.add(0, info(kArray, 0), 0, of, ids["int"], 1)
			ids[fmt.Sprint(depth, " arrays")] = of
		}
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
		{"user pointer behind volatile", build(64, lock, m{"volatile user", 64, ""}), "EINVAL"},
		{"user pointer behind two of them", build(64, lock, m{"volatile volatile user", 64, ""}), "ok"},
		{"user pointer behind const", build(64, lock, m{"const user", 64, ""}), "ok"},
		{"user pointer behind a typedef", build(64, lock, m{"typedef user", 64, ""}), "ok"},
		{"attribute user", build(64, lock, m{"attribute user", 64, ""}), "ok"},
		{"attribute kptr", build(64, lock, m{"attribute kptr", 64, ""}), "ok"},
		{"attribute uptr", build(64, lock, m{"attribute uptr", 64, ""}), "ok"},
		{"attribute of another name", build(64, lock, m{"attribute anything", 64, ""}), "ok"},
		{"attribute behind volatile", build(64, lock, m{"volatile attribute user", 64, ""}), "ok"},
		{"misplaced head", build(64, m{"bpf_list_head", 96, "contains:held:l"}), "EFAULT"},
		{"misplaced head and kernel pointer", build(64, m{"kernel pointer", 0, ""}, m{"bpf_list_head", 96, "contains:held:l"}), "ok"},
		{"misplaced head and attribute", build(64, m{"attribute kptr", 0, ""}, m{"bpf_list_head", 96, "contains:held:l"}), "EFAULT"},
		{"misplaced head and kernel pointer behind volatile", build(64, m{"volatile kptr", 0, ""}, m{"bpf_list_head", 96, "contains:held:l"}), "ok"},
		{"misplaced head and kernel pointer behind two of them", build(64, m{"volatile volatile kptr", 0, ""}, m{"bpf_list_head", 96, ""}), "EFAULT"},
		{"misplaced head and kernel pointer behind const", build(64, m{"const kptr", 0, ""}, m{"bpf_list_head", 96, ""}), "EFAULT"},
		{"misplaced kernel pointer behind volatile", build(64, m{"volatile kptr", 32, ""}), "EFAULT"},
		{"kernel pointer to a typedef of a const", build(64, m{"kptr const", 0, ""}, m{"bpf_list_head", 96, ""}), "ok"},
		{"kernel pointer to an integer", build(64, lock, m{"kptr int", 64, ""}), "EINVAL"},
		{"pointer to user memory", build(64, lock, m{"uptr int", 64, ""}), "ok"},
		{"two tags", build(64, lock, m{"two tags", 64, ""}), "EINVAL"},
		{"tag and attribute", build(64, lock, m{"tag and attribute", 64, ""}), "EINVAL"},
		{"attribute and tag", build(64, lock, m{"attribute and tag", 64, ""}), "ok"},
		{"kernel pointer to what has no destructor", build(64, m{"owned lock", 0, ""}), "ENOENT"},
		{"kernel pointer to const of that", build(64, m{"owned const lock", 0, ""}), "ENOENT"},
		{"untrusted pointer to that", build(64, m{"untrusted lock", 0, ""}), "ok"},
		{"per-CPU pointer to that", build(64, m{"per-CPU lock", 0, ""}), "ok"},
		{"31 arrays", build(64, lock, m{"31 arrays", 64, ""}), "ok"},
		{"32 arrays", build(64, lock, m{"32 arrays", 64, ""}), "E2BIG"},
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
