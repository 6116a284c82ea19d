package xz

import (
	"os"
	"syscall"
	"testing"
)

// guarded returns memory that ends before a page that cannot be read.
func guarded(t *testing.T, size int) []byte {
	t.Helper()
	page := os.Getpagesize()
	n := (size + page - 1) / page * page
	all, err := syscall.Mmap(-1, 0, n+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		err = syscall.Mprotect(all[n:], syscall.PROT_NONE)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(all) })
	return all[n-size : n : n]
}

// TestEnds: nothing is read or written past the ends of packed data and output, wherever they end. All of that fails, because the chunk goes on.
func TestEnds(t *testing.T) {
	e := newLZMAEncoder(3, 0, 2)
	from := 0 // offset of the last matches
	b := e.chunk(func(func() bool) {
		for i := range 700 {
			e.literal(byte(i * i))
		}
		from = len(e.contents)
		for range 40 {
			e.match(600, 273)
			e.literal(1)
		}
	})
	const head = 6
	for size := from; size < from+700; size++ { // of the output
		in, out := guarded(t, len(b)), guarded(t, size)
		copy(in, b)
		in[1], in[2] = byte((size-1)>>8), byte(size-1)
		var d lzma2
		d.begin()
		if err := steps(&d, out, in); err == nil {
			t.Errorf("%d bytes of output: no error", size)
		}
	}
	for size := len(b) - head - 100; size < len(b)-head; size++ { // of the packed data
		in, out := guarded(t, head+size), guarded(t, len(e.contents))
		copy(in, b)
		in[3], in[4] = byte((size-1)>>8), byte(size-1)
		var d lzma2
		d.begin()
		if err := steps(&d, out, in); err == nil {
			t.Errorf("%d bytes of packed data: no error", size)
		}
	}
}
