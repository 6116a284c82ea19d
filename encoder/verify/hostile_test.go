package verify

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile are blobs designed to cost more time than their size justifies. n scales their size.
var hostile = []struct {
	name string
	make func(n uint32) []byte
}{
	{"members", func(n uint32) []byte {
		b := newBlob()
		i := b.integer("int", 4)
		b.add(b.str("s"), info(kStruct, n), 4*n)
		for m := range n {
			b.words(0, i, 32*m)
		}
		return b.bytes()
	}},
	{"functions of one prototype", func(n uint32) []byte {
		b := newBlob()
		i, a := b.integer("int", 4), b.str("a")
		p := b.add(0, info(kProto, n), 0)
		for range n {
			b.words(a, i)
		}
		for range n {
			b.add(a, info(kFunc, 1), p)
		}
		return b.bytes()
	}},
	{"names with one tail", func(n uint32) []byte {
		b := newBlob()
		i := b.integer("int", 4)
		var at uint32
		for m := range n {
			if m%512 == 0 {
				at = b.str(strings.Repeat("a", 512))
			}
			b.add(at+m%512, info(kTypedef, 0), i)
		}
		return b.bytes()
	}},
	{"tags with one tail", func(n uint32) []byte {
		b := newBlob()
		at := b.str(strings.Repeat("contains:a", int(n)))
		s := b.add(b.str("s"), info(kStruct, 1), 64, 0, 2, 0)
		b.add(b.str("bpf_list_head"), info(kStruct, 0), 16)
		for m := range n {
			b.add(at+10*m, info(kDeclTag, 0), s, 0)
		}
		return b.bytes()
	}},
	{"chain of modifiers", func(n uint32) []byte {
		b := newBlob()
		b.integer("int", 4)
		for range n {
			b.ref(kConst, b.next-1)
		}
		return b.bytes()
	}},
	{"chains of 32 modifiers", func(n uint32) []byte {
		b := newBlob()
		for range n / 32 {
			for i := uint32(31); i > 0; i-- {
				b.ref(kConst, b.next+1)
			}
			b.ref(kPtr, 0)
		}
		return b.bytes()
	}},
	{"parameters with long names", func(n uint32) []byte { // refused, so that the log line lists them
		b := newBlob()
		at := b.str(strings.Repeat("a", int(n)))
		b.add(0, info(kProto, n), maxID)
		for m := range n {
			b.words(at+m, 1)
		}
		return b.bytes()
	}},
	{"structs of two structs", func(n uint32) []byte { // a walk of everything inside takes 2^24 steps
		b := newBlob()
		lock := b.add(b.str("bpf_spin_lock"), info(kStruct, 0), 4)
		i := b.integer("int", 4)
		for range n / 64 {
			last, size := i, uint32(4)
			for range 24 {
				last = b.add(0, info(kStruct, 2), 2*size, 0, last, 0, 0, last, 8*size)
				size *= 2
			}
			b.add(0, info(kStruct, 2), size+4, 0, last, 0, 0, lock, 8*size)
		}
		return b.bytes()
	}},
	{"arrays of arrays", func(n uint32) []byte {
		b := newBlob()
		i := b.integer("int", 4)
		b.add(0, info(kArray, 0), 0, i, i, 1)
		for range n {
			b.add(0, info(kArray, 0), 0, b.next-1, i, 1)
		}
		return b.bytes()
	}},
	{"array of itself", func(n uint32) []byte {
		b := newBlob()
		i := b.integer("int", 4)
		a := b.add(0, info(kArray, 0), 0, b.next, i, 1)
		b.add(b.str("s"), info(kStruct, n), 4)
		for range n {
			b.words(0, a, 0)
		}
		return b.bytes()
	}},
	{"sections of one variable", func(n uint32) []byte {
		b := newBlob()
		v := b.add(b.str("v"), info(kVar, 0), b.integer("char", 1), 1)
		for range n / 64 {
			b.add(b.str("x"), info(kDatasec, 64), 64)
			for m := range uint32(64) {
				b.words(v, m, 1)
			}
		}
		return b.bytes()
	}},
	{"integers of one name", func(n uint32) []byte {
		b := newBlob()
		at := b.str("a")
		for m := range n {
			b.add(at, info(kInt, 0), m+1, 8)
		}
		return b.bytes()
	}},
	{"structs of one name", func(n uint32) []byte {
		b := newBlob()
		at := b.str("a")
		for m := range n {
			b.add(at, info(kStruct, 0), m)
		}
		return b.bytes()
	}},
}

// TestHostile: a blob eight times as large takes about eight times as much CPU time. The margin is wide because of caches; quadratic time
// would be a factor of 64.
func TestHostile(t *testing.T) {
	const n, factor, margin = 1 << 13, 8, 4
	base := newBlob()
	base.integer("int", 4)
	for _, h := range hostile {
		t.Run(h.name, func(t *testing.T) {
			small, large := h.make(n), h.make(factor*n)
			for what, f := range map[string]func([]byte){
				"load":   func(b []byte) { Check(b, Options{}) },
				"image":  func(b []byte) { Check(b, Options{Path: Vmlinux}) },
				"lint":   func(b []byte) { Lint(b, LintOptions{Earlier: b}) },
				"module": func(b []byte) { Check(base.bytes(), Options{Path: Module, Base: b, Distilled: b}) },
			} {
				a, b := best(func() { f(small) }), best(func() { f(large) })
				if b > factor*margin*a+20*time.Millisecond {
					t.Errorf("%s: %v for %d bytes, %v for %d", what, a, len(small), b, len(large))
				}
			}
		})
	}
}

// best returns the shortest CPU time of some runs.
func best(f func()) time.Duration {
	shortest := time.Hour
	for range 5 {
		start := cpuTime()
		f()
		shortest = min(shortest, cpuTime()-start)
	}
	return shortest
}

// BenchmarkHostile measures blobs of up to 16 MiB.
func BenchmarkHostile(b *testing.B) {
	for _, h := range hostile {
		blob := h.make(1 << 18)
		b.Run(fmt.Sprintf("%s/%d", h.name, len(blob)), func(b *testing.B) {
			b.SetBytes(int64(len(blob)))
			for b.Loop() {
				Check(blob, Options{})
			}
		})
	}
}
