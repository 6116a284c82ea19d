package encoder_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf"
	ciliumbtf "github.com/cilium/ebpf/btf"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// knownTo returns the features that a generation of kernels can read, with all variables.
func knownTo(k verify.Kernel) feature.Set {
	all := feature.Default().With(feature.GlobalVar)
	if k == verify.V5_10 {
		return all.Without(feature.Float, feature.DeclTag, feature.TypeTag, feature.Enum64, feature.DeclTagKfuncs)
	}
	return all
}

// loads verifies BTF with all variables for every generation of kernels, as a program's BTF and as that of the kernel itself.
func loads(t *testing.T, f *elf.File) {
	t.Helper()
	made := make(map[feature.Set]*btf.Object)
	for _, k := range verify.Kernels() {
		features := knownTo(k)
		if made[features] == nil {
			res, err := encoder.Encode(context.Background(), f, encoder.Options{Features: features, LangExclude: []encoder.Language{0x1c}})
			if err != nil {
				t.Fatal(err)
			}
			made[features] = res.Object
			ascending(t, res.Object)
		}
		o := made[features]
		for _, p := range []verify.Path{verify.Load, verify.Vmlinux} {
			opt := verify.Options{Kernel: k, Path: p, Order: o.Order, PtrSize: f.AddrSize()}
			if err := verify.Check(o.AppendWire(nil), opt); err != nil {
				t.Error(err)
			}
		}
	}
}

// ascending checks that the entries of every DATASEC are in order and do not overlap, and that each VAR is in exactly one entry.
func ascending(t *testing.T, o *btf.Object) {
	t.Helper()
	entries := make(map[btf.ID]int)
	for _, r := range o.All() {
		if r.Kind() != btf.KindDatasec {
			continue
		}
		end := uint64(0)
		for i := range r.Vlen() {
			e := r.Elem(i)
			if uint64(e[1]) < end {
				t.Errorf("%s: %s at %#x begins inside the entry before it", o.Name(r.Name()), o.Name(o.At(btf.ID(e[0])).Name()), e[1])
			}
			end = uint64(e[1]) + uint64(e[2])
			entries[btf.ID(e[0])]++
		}
		if end != uint64(r.Size()) {
			t.Errorf("%s: size %#x, want the end of the last entry, %#x", o.Name(r.Name()), r.Size(), end)
		}
	}
	for id, r := range o.All() {
		if r.Kind() == btf.KindVar && entries[id] != 1 {
			t.Errorf("VAR %s is in %d entries", o.Name(r.Name()), entries[id])
		}
	}
}

// TestAllVariablesLoad: in the profile default, every kernel accepts BTF with all variables, even if a variable has a weak and a strong
// definition.
func TestAllVariablesLoad(t *testing.T) {
	for _, name := range imageNames(t) {
		t.Run(name, func(t *testing.T) {
			f, err := elf.Open(imagePath(t, name))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			loads(t, f)
		})
	}
}

// TestAllVariablesLoadKernels is the same for the kernels of TestFeatures. The BTF of pahole with all variables does not load.
func TestAllVariablesLoadKernels(t *testing.T) {
	eachFeatureKernel(t, func(t *testing.T, f *elf.File) {
		loads(t, f)
		opt := likePeer()
		opt.Features = knownTo(verify.Newest)
		res, err := opt.Encode(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		if verify.Check(res.Object.AppendWire(nil), verify.Options{Order: res.Object.Order, PtrSize: f.AddrSize()}) == nil {
			t.Error("like the peer's, BTF with all variables loads; the difference that is documented is gone")
		}
	})
}

// TestAllVariablesLoadRunning loads such BTF into the running kernel, if that is allowed. A kernel accepts only its own byte order.
func TestAllVariablesLoadRunning(t *testing.T) {
	for _, name := range imageNames(t) {
		t.Run(name, func(t *testing.T) { loadsHere(t, imagePath(t, name)) })
	}
	if testing.Short() {
		return
	}
	for _, kernel := range featureKernels() {
		t.Run(kernel, func(t *testing.T) { loadsHere(t, reference.Kernel(t, kernel)) })
	}
}

// loadsHere checks that the running kernel accepts the BTF of the profile default, and that it agrees with package verify about both profiles.
func loadsHere(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if one := []byte{1, 0}; !f.Is64 || f.Order.Uint16(one) != binary.NativeEndian.Uint16(one) {
		t.Skip("another byte order or word size")
	}
	for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
		res, err := encoder.Encode(context.Background(), f, encoder.Options{Profile: profile, Features: knownTo(verify.Newest), LangExclude: []encoder.Language{0x1c}})
		if err != nil {
			t.Fatal(err)
		}
		wire := res.Object.AppendWire(nil)
		h, err := ciliumbtf.NewHandleFromRawBTF(wire)
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, ebpf.ErrNotSupported) {
			t.Skip(err)
		}
		if h != nil {
			h.Close()
		}
		if profile == encoder.Default && err != nil {
			t.Errorf("the running kernel says: %v", err)
		}
		if checked := verify.Check(wire, verify.Options{}); (err == nil) != (checked == nil) {
			t.Errorf("profile %d: the running kernel says %v, verify says %v", profile, err, checked)
		}
	}
}

// TestSameFunctionsEverywhere: in the profile default, one source gives the same functions on every architecture of a compiler.
func TestSameFunctionsEverywhere(t *testing.T) {
	for made, archs := range map[string][]string{
		"clang19": {"x86_64-dwarf4-based", "arm64-dwarf5-based", "ppc64le-dwarf5-based", "riscv64-dwarf4-based", "s390x-dwarf4-based",
			"loongarch64-dwarf5-based"},
		"gcc12": {"x86_64-dwarf5-based", "arm64-dwarf5-based", "arm-dwarf5-based", "i386-dwarf5-based", "mips64-dwarf4-based",
			"mips64el-dwarf5-based", "ppc64-dwarf5-based", "ppc64le-dwarf5-based", "riscv64-dwarf5-based", "s390x-dwarf5-based"},
		"gcc12 modules": {"x86_64-dwarf5-module", "arm64-dwarf5-module", "arm-dwarf5-module", "i386-dwarf5-module", "mips64-dwarf5-module",
			"mips64el-dwarf5-module", "ppc64-dwarf5-module", "ppc64le-dwarf5-module", "riscv64-dwarf5-module", "s390x-dwarf5-module"},
		"clang19 modules": {"riscv64-dwarf5-module", "loongarch64-dwarf5-module"},
	} {
		compiler, _, _ := strings.Cut(made, " ")
		var want string
		for i, arch := range archs {
			res, err := encodeBytes(read(t, imagePath(t, compiler+"-"+arch)), encoder.Encoder{Options: encoder.Options{Features: feature.Default()}})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, r := range res.Object.All() {
				if r.Kind() == btf.KindFunc {
					got += fmt.Sprintln(res.Object.Name(r.Name()))
				}
			}
			if i == 0 {
				want = got
			} else if got != want {
				t.Errorf("%s: got\n%s\nwant those of %s\n%s", arch, got, archs[0], want)
			}
		}
	}
}
