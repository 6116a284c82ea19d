package xz

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkBlock decodes blocks of a real package, with most of what is in one: code, types, names.
func BenchmarkBlock(b *testing.B) {
	debs, err := filepath.Glob(filepath.Join(os.Getenv("LAB"), "debs/6.12-cloud-amd64/*.deb"))
	if err != nil || len(debs) == 0 {
		b.Skip("the package of 6.12-cloud-amd64 is not in $LAB")
	}
	f, err := os.Open(debs[0])
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	head := make([]byte, 1<<20)
	if _, err := f.ReadAt(head, 0); err != nil {
		b.Fatal(err)
	}
	at := bytes.Index(head, []byte("data.tar.xz"))
	size, err := strconv.Atoi(strings.TrimSpace(string(head[at+48 : at+58])))
	if err != nil {
		b.Fatal(err)
	}
	blocks, err := Find(f, int64(at+60), int64(size))
	if err != nil {
		b.Fatal(err)
	}
	for _, i := range []int{1, 4, 12} {
		b.Run(strconv.Itoa(i), func(b *testing.B) {
			one := &blocks.list[i]
			out := make([]byte, one.unpacked)
			w := new(worker)
			b.SetBytes(one.unpadded)
			b.ReportAllocs()
			for b.Loop() {
				w.open()
				if err := w.advance(f, one, blocks.check, out, len(out), len(out)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
