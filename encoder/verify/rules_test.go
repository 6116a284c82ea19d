package verify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/kernel"
)

// patched returns a small blob in which words of the header, or after it, are replaced.
func patched(length uint32, words ...uint32) []byte {
	b := newBlob()
	b.integer("int", 4)
	out := b.header(length)
	for i := 0; i < len(words); i += 2 {
		binary.LittleEndian.PutUint32(out[words[i]:], words[i+1])
	}
	return out
}

func built(f func(*blob)) []byte { return lintOf(f) }

// mods adds n modifiers of a kind, each of the next type, with an integer at the end.
func mods(kind, n uint32) func(*blob) {
	return func(b *blob) {
		for range n {
			b.ref(kind, b.next+1)
		}
		b.integer("int", 4)
	}
}

// bitField returns a bit field of an integer of that many bytes, in a struct with space for more.
func bitField(size, bits uint32) []byte {
	return built(func(b *blob) {
		i := b.integer("int", size)
		b.add(b.str("s"), kindFlagBit|info(kStruct, 1), 16, b.str("b"), i, bits<<24)
	})
}

// pointers returns a struct with an array of kernel pointers, and more of them.
func pointers(inArray, more uint32) []byte {
	return built(func(b *blob) {
		i := b.integer("int", 4)
		p := b.ref(kPtr, b.ref(kTypeTag, b.add(b.str("to"), info(kStruct, 0), 8), "kptr"))
		a := b.add(0, info(kArray, 0), 0, p, i, inArray)
		rest := []uint32{b.str("a"), a, 0}
		for n := range more {
			rest = append(rest, b.str("p"), p, 64*(inArray+n))
		}
		b.add(b.str("s"), info(kStruct, 1+more), 8*(inArray+more), rest...)
	})
}

// A ruleCase is a blob and the kernel's answer to it.
type ruleCase struct {
	name string
	opt  Options
	blob []byte
	want string // "ok", or the error and the last line
}

// ruleCases covers what the conformance table lacks: other paths than a load, other sizes of pointers, and rules that no vector reaches.
func ruleCases() []ruleCase {
	structPtr := built(func(b *blob) { b.add(b.str("s"), info(kStruct, 1), 4, 0, b.ref(kPtr, 0), 0) })
	locks := built(func(b *blob) {
		b.add(b.str("bpf_spin_lock"), info(kStruct, 0), 4)
		b.add(b.str("s"), info(kStruct, 2), 8, 0, 1, 0, 0, 1, 32)
	})
	return []ruleCase{
		{"load of more than 16 MiB", Options{}, make([]byte, maxLoad+1), "E2BIG"},
		{"image of more than 16 MiB", Options{Path: Vmlinux}, make([]byte, maxLoad+1), "EINVAL Invalid magic"},
		{"no data", Options{}, patched(24)[:24], "EINVAL No data"},
		{"sections overlap", Options{}, patched(24, atStrOff, 12), "EINVAL Section overlap found"},
		{"offset from 2 GiB on", Options{}, patched(24, atTypeOff, 3<<30), "EINVAL Invalid section offset"},
		{"no string", Options{}, patched(24, atTypeLen, 21, atStrOff, 21, atStrLen, 0), "EINVAL Invalid string section"},
		{"no type, load", Options{}, newBlob().bytes(), "EINVAL No type found"},
		{"no type, image", Options{Path: Vmlinux}, newBlob().bytes(), "ok"},
		{"strings in front of types", Options{}, stringsFirst(8), "ok"},
		{"strings of odd length in front of types", Options{}, stringsFirst(5), "EINVAL Unaligned type_off"},
		{"strings of odd length in front of types, image", Options{Path: Vmlinux}, stringsFirst(5), "ok"},
		{"layout, 6.18, image", Options{Kernel: V6_18, Path: Vmlinux}, withLayout(4, 0), "E2BIG Unsupported btf_header"},
		{"layout, 7.2", Options{}, withLayout(4, 0), "ok"},
		{"layout out of line", Options{}, withLayout(4, 1), "EINVAL Unaligned layout_off"},
		{"layout out of line, image", Options{Path: Vmlinux}, withLayout(4, 1), "EINVAL [2] meta_left:1 meta_needed:12"},
		{"layout too small", Options{}, withLayout(2, 0), "EINVAL Layout section is too small"},
		{"layout of no whole entries", Options{}, withLayout(6, 0), "EINVAL layout_len is not multiple of 4"},
		{"layout of no whole entries, image", Options{Path: Vmlinux}, withLayout(6, 0), "ok"},

		{"reference to nothing, load", Options{}, built(func(b *blob) { b.ref(kPtr, 9) }), "EINVAL [1] PTR (anon) type_id=9 Invalid type_id"},
		{"reference to nothing, image", Options{Path: Vmlinux}, built(func(b *blob) { b.ref(kPtr, 9) }), "ok"},
		{"modifier of nothing, image", Options{Path: Vmlinux}, built(func(b *blob) { b.ref(kConst, 9) }), "EINVAL [1] CONST (anon) type_id=9"},
		{"modifier of nothing, 5.10", Options{Kernel: V5_10, Path: Vmlinux}, built(func(b *blob) { b.ref(kConst, 9) }), "ok"},
		{"circle of modifiers, image", Options{Path: Vmlinux}, built(func(b *blob) { b.ref(kConst, 1) }), "ELOOP Max chain length or cycle detected"},
		{"32 modifiers, image", Options{Path: Vmlinux}, built(mods(kConst, 32)), "ok"},
		{"33 modifiers, image", Options{Path: Vmlinux}, built(mods(kConst, 33)), "ELOOP Max chain length or cycle detected"},
		{"33 modifiers, image, 5.10", Options{Kernel: V5_10, Path: Vmlinux}, built(mods(kConst, 33)), "ok"},
		{"tag behind const, image, 6.18", Options{Kernel: V6_18, Path: Vmlinux},
			built(func(b *blob) { b.ref(kConst, 2); b.ref(kTypeTag, 0, "t") }), "EINVAL Type tags don't precede modifiers"},
		{"tag behind const, image, 7.2", Options{Path: Vmlinux}, built(func(b *blob) { b.ref(kConst, 2); b.ref(kTypeTag, 0, "t") }), "ok"},
		{"last line of an enum", Options{Path: Vmlinux}, built(func(b *blob) {
			b.ref(kConst, 9)
			b.add(b.str("e"), info(kEnum, 1), 4, b.str("a"), 0xffffffff)
		}), "EINVAL a val=4294967295"},
		{"last line of a signed 64-bit enum", Options{Path: Vmlinux}, built(func(b *blob) {
			b.ref(kConst, 9)
			b.add(b.str("e"), kindFlagBit|info(kEnum64, 1), 8, b.str("a"), 0xfffffffe, 0xffffffff)
		}), "EINVAL a val=-2"},
		{"last line of a section", Options{Path: Vmlinux}, built(func(b *blob) { b.ref(kConst, 9); percpu(b, 1) }), "EINVAL type_id=3 offset=0 size=8"},

		{"pointer of 8 bytes", Options{}, structPtr, "EINVAL (anon) type_id=1 bits_offset=0 Member exceeds struct_size"},
		{"pointer of 4 bytes", Options{PtrSize: 4}, structPtr, "ok"},
		{"section of nothing, 5.10", Options{Kernel: V5_10, Path: Vmlinux},
			built(func(b *blob) { b.add(b.str("x"), info(kDatasec, 0), 8) }), "EINVAL [1] DATASEC x size=8 vlen=0 vlen == 0"},
		{"section full of overlaps", Options{Path: Vmlinux}, built(func(b *blob) {
			b.add(b.str("x"), info(kDatasec, 2), 0xfffffff0, 1, 0x10, 0xfffffff0, 1, 0x20, 0x20)
		}), "EINVAL [1] DATASEC x size=4294967280 vlen=2 Invalid btf_info size"},
		{"bit offset beyond 32 bits", Options{}, built(func(b *blob) {
			b.add(0, info(kInt, 0), 16, 8<<16|8)
			b.add(0, info(kStruct, 1), 0xffffffff, 0, 1, 0xffffffff)
		}), "EINVAL (anon) type_id=1 bits_offset=4294967295 bits_offset exceeds U32_MAX"},
		{"bit field as wide as its integer", Options{}, bitField(4, 32), "ok"},
		{"bit field one bit wider than its integer", Options{}, bitField(4, 33),
			"EINVAL b type_id=1 bitfield_size=33 bits_offset=0 Invalid member bitfield_size"},
		{"bit field one bit wider than its integer of one byte", Options{}, bitField(1, 9),
			"EINVAL b type_id=1 bitfield_size=9 bits_offset=0 Invalid member bitfield_size"},
		{"name offset of an enum", Options{}, built(func(b *blob) { b.add(99, info(kEnum, 0), 4) }), "EINVAL [1] Invalid name_offset:99"},
		{"name of two lines", Options{}, built(func(b *blob) { b.ref(kTypedef, 0, "a\nb") }), "EINVAL b type_id=0 Invalid name"},
		{"name longer than the log's line", Options{}, built(func(b *blob) { b.ref(kTypedef, 0, strings.Repeat("a", 2000)) }),
			"EINVAL [1] TYPEDEF " + strings.Repeat("a", textPiece-12) + "type_id=0 Invalid name"},

		{"11 kernel pointers in an array", Options{}, pointers(11, 0), "ok"},
		{"12 kernel pointers in an array alone", Options{}, pointers(12, 0), "ok"}, // as kernel 6.18 has it
		{"11 kernel pointers, one of them by itself", Options{}, pointers(10, 1), "ok"},
		{"12 kernel pointers, one of them by itself", Options{}, pointers(11, 1), "E2BIG p type_id=4 bits_offset=704"},
		{"two locks", Options{}, locks, "E2BIG (anon) type_id=1 bits_offset=32"},
		{"two locks, 6.1", Options{Kernel: V6_1}, locks, "ok"},
		{"two locks, image", Options{Path: Vmlinux}, locks, "ok"},
	}
}

func TestRules(t *testing.T) {
	for _, tc := range ruleCases() {
		t.Run(tc.name, func(t *testing.T) {
			symbol, line := verdict(t, Check(tc.blob, tc.opt))
			if got := strings.TrimSpace(symbol + " " + line); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestEveryPhrase: every explained verdict can happen, and every verdict that happens is explained.
func TestEveryPhrase(t *testing.T) {
	seen := map[string]bool{}
	see := func(err error) {
		if r, ok := errors.AsType[*Refusal](err); ok {
			seen[r.Reason] = true
		}
	}
	for _, v := range vectors(t) {
		for _, k := range Kernels() {
			see(Check(v.blob, Options{Kernel: k}))
		}
	}
	for _, tc := range ruleCases() {
		see(Check(tc.blob, tc.opt))
	}
	for _, tc := range fieldCases() {
		see(Check(tc.blob, Options{}))
	}
	for _, tc := range relocateCases() {
		see(tc.check())
	}
	for i := range uint64(20_000) {
		see(Check(generate(rand.New(rand.NewPCG(1, i))), Options{}))
	}
	for _, e := range phrases {
		if !seen[e.why] {
			t.Errorf("no blob is refused with %q, %v", e.phrase, e.kind)
		}
	}
	if unexplained := explain(fault{phrase: "no such phrase"}).why; seen[unexplained] {
		t.Error("a blob was refused without a reason")
	}
}

// TestOrder reads the same blob in both byte orders, and each in the wrong order.
func TestOrder(t *testing.T) {
	for _, big := range []bool{false, true} {
		b := newBlob()
		b.big = big
		i := b.integer("int", 4)
		b.add(b.str("s"), info(kStruct, 1), 4, b.str("m"), i, 0)
		own, other := binary.ByteOrder(binary.LittleEndian), binary.ByteOrder(binary.BigEndian)
		if big {
			own, other = other, own
		}
		blob := b.bytes()
		for _, p := range []Path{Load, Vmlinux} {
			if err := Check(blob, Options{Path: p, Order: own}); err != nil {
				t.Errorf("%v, %v: %v", own, p, err)
			}
			if _, got := verdict(t, Check(blob, Options{Path: p, Order: other})); got != "btf_header not found" {
				t.Errorf("%v read as %v, %v: got %q", own, other, p, got)
			}
		}
		if err := Check(blob, Options{Path: Vmlinux}); err != nil {
			t.Errorf("%v, order found by the magic: %v", own, err)
		}
		if err := Check(blob, Options{Path: Load}); (err != nil) != big {
			t.Errorf("%v, load without an order: %v", own, err)
		}
	}
}

// TestTooManyTypes: types above the highest id are parsed and dropped.
func TestTooManyTypes(t *testing.T) {
	b := newBlob()
	b.types = bytes.Repeat(b.order().AppendUint32(b.order().AppendUint32(make([]byte, 4), info(kPtr, 0)), 0), maxTypes+2)
	if err := Check(b.bytes(), Options{}); err != nil {
		t.Errorf("%d types: %v", maxTypes+2, err)
	}
	binary.LittleEndian.PutUint32(b.types[8:], maxTypes)
	if _, got := verdict(t, Check(b.bytes(), Options{})); got != "[1] PTR (anon) type_id=1048575 Invalid type_id" {
		t.Errorf("reference to a dropped type: got %q", got)
	}
	binary.LittleEndian.PutUint32(b.types[len(b.types)-8:], 0)
	if _, got := verdict(t, Check(b.bytes(), Options{})); got != fmt.Sprintf("[%d] Invalid kind:0", maxTypes+2) {
		t.Errorf("defect in a dropped type: got %q", got)
	}
}

// TestRefusal pins the fields of a refusal.
func TestRefusal(t *testing.T) {
	b := newBlob()
	i := b.integer("int", 4)
	b.add(b.str("s"), info(kStruct, 2), 8, b.str("m"), i, 0, b.str("n"), i, 64)
	var r *Refusal
	if !errors.As(Check(b.bytes(), Options{Kernel: V6_12}), &r) {
		t.Fatal("not refused")
	}
	want := Refusal{
		Path: Load, Kernel: V6_12, Errno: EINVAL, TypeID: 2, Kind: kStruct, Name: "s", Offset: 24 + 16 + 12 + 12,
		Phrase: "Member exceeds struct_size", Line: "n type_id=1 bits_offset=64 Member exceeds struct_size",
		Reason: "the member ends after the end of its struct", key: "Member exceeds struct_size",
	}
	if *r != want {
		t.Errorf("got %+v, want %+v", *r, want)
	}
	text := `kernel 6.12, path load: type 2, STRUCT "s", byte 0x40: EINVAL ` +
		`"n type_id=1 bits_offset=64 Member exceeds struct_size": the member ends after the end of its struct`
	if got := r.Error(); got != text {
		t.Errorf("got %s, want %s", got, text)
	}
}

func TestParse(t *testing.T) {
	for _, k := range Kernels() {
		if got, err := ParseKernel(k.String()); got != k || err != nil {
			t.Errorf("%v: got %v, %v", k, got, err)
		}
	}
	if k, err := ParseKernel("newest"); k != V7_2 || err != nil {
		t.Errorf("newest: got %v, %v", k, err)
	}
	if _, err := ParseKernel("4.19"); err == nil || !strings.Contains(err.Error(), "5.10, 6.1, 6.12, 6.18, 7.2, newest") {
		t.Errorf("4.19: got %v", err)
	}
	names := []string{}
	for _, k := range Kernels() {
		names = append(names, k.String())
	}
	if want := kernel.Generations(); !slices.Equal(names, want) {
		t.Errorf("got generations %v, want %v", names, want)
	}
	for text, want := range map[string]Kernel{"v5.10": V5_10, "5.15": V5_10, "6.8.0-31-generic": V6_1, "6.12.107+deb13-cloud-amd64": V6_12, "9.9": V7_2} {
		if got, err := ParseKernel(text); got != want || err != nil {
			t.Errorf("%s: got %v (%v), want %v", text, got, err, want)
		}
	}
	for p := Load; p <= DistilledBase; p++ {
		if got, err := ParsePath(p.String()); got != p || err != nil {
			t.Errorf("%v: got %v, %v", p, got, err)
		}
	}
	if _, err := ParsePath("user"); err == nil {
		t.Error("path user was taken")
	}
}

// TestWrongQuestion: invalid options give an error that is not a Refusal.
func TestWrongQuestion(t *testing.T) {
	blob := patched(24)
	for _, opt := range []Options{{Path: 9}, {PtrSize: 5}, {Path: Module}, {Path: DistilledBase, Kernel: V6_1}} {
		var r *Refusal
		if err := Check(blob, opt); err == nil || errors.As(err, &r) {
			t.Errorf("%+v: got %v", opt, err)
		}
	}
}
