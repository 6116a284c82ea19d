package encoder_test

import (
	"bytes"
	"context"
	stdelf "debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// kernelImage is a kernel-like image, built once.
var kernelImage = sync.OnceValue(func() []byte {
	return synth.Kernel(synth.Target{Class: stdelf.ELFCLASS64, Order: binary.LittleEndian, Machine: stdelf.EM_X86_64, Type: stdelf.ET_EXEC, DWARF: 5},
		1, synth.MediumKernel)
})

func encodeImage(tb testing.TB, image []byte, opt encoder.Encoder) *encoder.Result {
	tb.Helper()
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		tb.Fatal(err)
	}
	opt.Profile, opt.Features = encoder.Pahole, feature.Default()
	res, err := opt.Encode(context.Background(), f)
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

// BenchmarkEncode encodes the kernel-like image. The throughput is in bytes of the image.
func BenchmarkEncode(b *testing.B) {
	image := kernelImage()
	for _, bm := range []struct {
		name string
		opt  encoder.Encoder
	}{{"workers=1", encoder.Encoder{Workers: 1}}, {"workers=2", encoder.Encoder{Workers: 2}}, {"exact", encoder.Encoder{Workers: 1, Exact: true}}} {
		b.Run(bm.name, func(b *testing.B) {
			b.SetBytes(int64(len(image)))
			b.ReportAllocs()
			for b.Loop() {
				encodeImage(b, image, bm.opt)
			}
		})
	}
}

// BenchmarkKernel encodes the kernels of the lab, one after another in one process. The throughput is in bytes of .debug_info. The profile for
// building the program is recorded from it (scripts/profile.sh).
func BenchmarkKernel(b *testing.B) {
	for _, kernel := range []string{"6.1-cloud-amd64", "6.12-cloud-amd64", "6.1-cloud-arm64", "6.1-s390x"} {
		b.Run(kernel, func(b *testing.B) {
			path := filepath.Join(reference.Lab(b), "kernels", kernel+".vmlinux")
			if _, err := os.Stat(path); err != nil {
				reference.Missing(b, "no kernel: %v", err)
			}
			b.ReportAllocs()
			for b.Loop() {
				f, err := elf.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if s := f.Section(".debug_info"); s != nil {
					b.SetBytes(int64(s.Size))
				}
				opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default(), LangExclude: []encoder.Language{0x1c}}, Workers: 1}
				if _, err := opt.Encode(context.Background(), f); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkModule encodes modules of the lab as kernel builds do: each call reads the base again. It also is a part of the profile.
func BenchmarkModule(b *testing.B) {
	const kernel = "6.12-cloud-amd64"
	lab := reference.Lab(b)
	opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default(), LangExclude: []encoder.Language{0x1c}}, Workers: 1}
	vmlinux, err := elf.Open(filepath.Join(lab, "kernels", kernel+".vmlinux"))
	if err != nil {
		reference.Missing(b, "no kernel: %v", err)
	}
	res, err := opt.Encode(context.Background(), vmlinux)
	if err != nil {
		b.Fatal(err)
	}
	wire := res.Object.AppendWire(nil)
	for _, module := range []string{"veth", "tun", "virtio_net", "overlay", "nf_conntrack", "nfs", "xfs"} {
		b.Run(module, func(b *testing.B) {
			var paths []string
			_ = filepath.WalkDir(filepath.Join(lab, "modules", kernel), func(path string, _ os.DirEntry, _ error) error {
				if filepath.Base(path) == module+".ko" {
					paths = append(paths, path)
				}
				return nil
			})
			if len(paths) == 0 {
				reference.Missing(b, "no module %s", module)
			}
			for b.Loop() {
				f, err := elf.Open(paths[0])
				if err != nil {
					b.Fatal(err)
				}
				base, err := btf.Skim(wire)
				if err != nil {
					b.Fatal(err)
				}
				call := opt
				call.Base = encoder.NewLazyBase(base)
				if _, err := call.Encode(context.Background(), f); err != nil {
					b.Fatal(err)
				}
				if err := f.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestKernelLike compares the fast path, with all hashes checked, with the exact engine, on images of both byte orders and word sizes, for
// several numbers of workers.
func TestKernelLike(t *testing.T) {
	size := synth.KernelSize{CUs: 24, Headers: 16, Funcs: 6}
	for _, target := range synth.Targets() {
		if target.Type != stdelf.ET_EXEC {
			continue
		}
		t.Run(fmt.Sprint(target.Machine, target.Class, target.Order, target.DWARF), func(t *testing.T) {
			image := synth.Kernel(target, 7, size)
			want := encodeImage(t, image, encoder.Encoder{Workers: 1, Exact: true}).Object.AppendWire(nil)
			for _, workers := range []int{1, 2, 7} {
				got := encodeImage(t, image, encoder.Encoder{Workers: workers, Paranoid: true})
				if !bytes.Equal(got.Object.AppendWire(nil), want) {
					t.Errorf("%d workers: got other BTF than the exact engine", workers)
				}
				if got.Stats.TypesAdded*4 > got.Stats.Types {
					t.Errorf("%d of %d types went into the object: repeats are not recognised", got.Stats.TypesAdded, got.Stats.Types)
				}
			}
		})
	}
}
