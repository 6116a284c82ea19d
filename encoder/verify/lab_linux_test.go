package verify

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/peer"
)

// peerBTF is pahole's output for a lab kernel.
func peerBTF(t testing.TB, name string) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("encoding a whole kernel takes a while")
	}
	return peer.EncodeKernel(t, name, []string{"default"}, "--lang_exclude=rust")
}

// TestPeerBTF: pahole's output for a kernel is accepted as that kernel's own BTF, by every generation that knows its kinds, and as a load
// if the pointer size and the byte order match. Encoding takes minutes, so the test uses one image unless all are requested.
func TestPeerBTF(t *testing.T) {
	if testing.Short() {
		t.Skip("encoding a whole kernel takes a while")
	}
	images, err := filepath.Glob(filepath.Join(peer.Dir(t), "kernels", "*.vmlinux"))
	if err != nil {
		t.Fatal(err)
	}
	all := peer.Required()
	for _, image := range images {
		name := strings.TrimSuffix(filepath.Base(image), ".vmlinux")
		if !all && name != labImage {
			continue
		}
		t.Run(name, func(t *testing.T) {
			blob := peerBTF(t, name)
			ptr := 8
			if strings.HasSuffix(name, "-686") || strings.HasSuffix(name, "-armmp") {
				ptr = 4
			}
			order := binary.ByteOrder(binary.LittleEndian)
			if binary.BigEndian.Uint16(blob) == magic {
				order = binary.BigEndian
			}
			for _, k := range Kernels()[1:] { // 5.10 does not know FLOAT
				for _, p := range []Path{Load, Vmlinux} {
					start := time.Now()
					if err := Check(blob, Options{Kernel: k, Path: p, Order: order, PtrSize: ptr}); err != nil {
						t.Error(err)
					}
					t.Logf("%v %v: %d bytes in %v", k, p, len(blob), time.Since(start))
				}
			}
		})
	}
}

const labImage = "6.12-cloud-amd64"

// TestPeerBTFDamaged changes one place of a kernel's BTF at a time.
func TestPeerBTFDamaged(t *testing.T) {
	blob := peerBTF(t, labImage)
	types := binary.LittleEndian.Uint32(blob[atTypeLen:])
	var running *runningKernel
	t.Run("running kernel", func(t *testing.T) {
		running = openRunningKernel(t)
		running.log = make([]byte, 128<<20)
	})
	refused := 0
	for i := range uint64(200) {
		r := rand.New(rand.NewPCG(4, i))
		damaged := append([]byte{}, blob...)
		switch i % 4 {
		case 0:
			damaged[r.IntN(len(damaged))] = byte(r.Uint32())
		case 1:
			damaged[knownHeader+r.IntN(int(types))] ^= 1 << r.IntN(8)
		case 2:
			binary.LittleEndian.PutUint32(damaged[knownHeader+4*r.IntN(int(types/4)):], r.Uint32N(200_000))
		case 3:
			damaged = damaged[:r.IntN(len(damaged))]
		}
		err := Check(damaged, Options{})
		if err != nil {
			refused++
			plausible(t, damaged, err)
		}
		if running != nil && i < 40 {
			running.compare(t, damaged)
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

// BenchmarkCheck measures the check of a whole kernel. The bound is 0.1 s.
func BenchmarkCheck(b *testing.B) {
	blob := peerBTF(b, labImage)
	for _, p := range []Path{Load, Vmlinux} {
		b.Run(p.String(), func(b *testing.B) {
			b.SetBytes(int64(len(blob)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Check(blob, Options{Path: p}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("lint", func(b *testing.B) {
		b.SetBytes(int64(len(blob)))
		for b.Loop() {
			Lint(blob, LintOptions{SMP: true})
		}
	})
}
