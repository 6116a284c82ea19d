package verify

import "testing"

// TestPointerSize: the types of raw BTF show the size of a pointer, and a load with that size is judged correctly.
func TestPointerSize(t *testing.T) {
	two := func(size uint32, before func(b *blob)) func(b *blob) {
		return func(b *blob) {
			before(b)
			p := b.ref(kPtr, 0)
			b.add(b.str("list_head"), info(kStruct, 2), 2*size, b.str("next"), p, 0, b.str("prev"), p, 8*size)
		}
	}
	nothing := func(*blob) {}
	for _, tc := range []struct {
		name string
		fill func(b *blob)
		size int
		from string
	}{
		{"long unsigned int of 4", two(4, func(b *blob) { b.integer("int", 4); b.integer("long unsigned int", 4) }), 4, "long unsigned int"},
		{"long of 8", two(8, func(b *blob) { b.integer("long", 8) }), 8, "long"},
		{"no long, but a list head of 8", two(4, nothing), 4, "list_head"},
		{"no long, but a list head of 16", two(8, nothing), 8, "list_head"},
		{"long long tells nothing", func(b *blob) { b.integer("long long int", 8) }, 0, ""},
		{"a long of an odd size tells nothing", func(b *blob) { b.integer("long int", 2) }, 0, ""},
		{"what comes before a bad type counts", func(b *blob) {
			b.integer("long int", 4)
			b.add(b.str("a b"), info(kTypedef, 0), 1)
		}, 4, "long int"},
	} {
		for _, big := range []bool{false, true} {
			b := newBlob()
			b.big = big
			tc.fill(b)
			blob := b.bytes()
			size, from := PointerSize(blob, nil)
			if size != tc.size || from != tc.from {
				t.Errorf("%s, big %v: got %d, %q, want %d, %q", tc.name, big, size, from, tc.size, tc.from)
			}
			other := 12 - size
			if size == 4 && from == headName {
				if err := Check(blob, Options{PtrSize: size, Order: b.order()}); err != nil {
					t.Errorf("%s: %v", tc.name, err)
				}
				if Check(blob, Options{PtrSize: other, Order: b.order()}) == nil {
					t.Errorf("%s: accepted with pointers of %d bytes", tc.name, other)
				}
			}
		}
	}
	for _, blob := range [][]byte{nil, {0x9f}, newBlob().bytes()[:20], make([]byte, 64)} {
		if size, _ := PointerSize(blob, nil); size != 0 {
			t.Errorf("%x: got %d", blob, size)
		}
	}
}
