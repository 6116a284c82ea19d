package xz

import (
	"hash/crc64"
	"math/rand/v2"
	"testing"
)

// The CRC is that of the standard library, for all sizes around those of stripes, and in pieces.
func TestCRC64(t *testing.T) {
	data := make([]byte, 3*crcStripes*crcStripe+100)
	rand.NewChaCha8([32]byte{}).Read(data)
	table := crc64.MakeTable(crc64.ECMA)
	for _, n := range []int{0, 1, 7, 8, 9, 100, crcStripe, crcStripes*crcStripe - 1, crcStripes * crcStripe, crcStripes*crcStripe + 9, len(data)} {
		for _, cut := range []int{0, 1, n / 3, n} {
			p, q := data[:min(cut, n)], data[min(cut, n):n]
			if got, want := crcUpdate(crcUpdate(0, p), q), crc64.Checksum(data[:n], table); got != want {
				t.Errorf("%d bytes in pieces of %d and %d: got %x, want %x", n, len(p), len(q), got, want)
			}
		}
	}
}

func BenchmarkCRC64(b *testing.B) {
	data := make([]byte, 8<<20)
	table := crc64.MakeTable(crc64.ECMA)
	for name, sum := range map[string]func([]byte) uint64{
		"stripes":  func(p []byte) uint64 { return crcUpdate(0, p) },
		"standard": func(p []byte) uint64 { return crc64.Checksum(p, table) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				sum(data)
			}
		})
	}
}
