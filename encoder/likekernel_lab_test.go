package encoder_test

import (
	"bytes"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// TestLikeKernel: with LikeKernel the BTF is the same as that which the build of the kernel put into the image. A kernel whose BTF is not sorted
// was built with an older version of pahole, which has other rules.
func TestLikeKernel(t *testing.T) {
	dir, kernels := lab(t)
	seen := 0
	for _, image := range kernels {
		name := strings.TrimSuffix(filepath.Base(image), ".vmlinux")
		t.Run(name, func(t *testing.T) {
			base, ok := likeKernel(t, image, nil)
			if !ok {
				t.Skip("the BTF in the image is not sorted")
			}
			seen++
			modules, err := filepath.Glob(filepath.Join(dir, "modules", name, "kernel", "*", "*", "*.ko"))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range modules {
				t.Run(filepath.Base(m), func(t *testing.T) { likeKernel(t, m, base) })
			}
		})
	}
	if seen == 0 {
		t.Skip("no kernel of the lab is built with implicit arguments")
	}
}

// likeKernel encodes an image and compares the result with the BTF in the image, which it returns. ok is false if that is not sorted.
func likeKernel(t *testing.T, image string, base *btf.Object) (own *btf.Object, ok bool) {
	t.Helper()
	f, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sec := f.Section(btf.SectionBTF)
	if sec == nil || !sec.HasData() {
		t.Skip("no BTF in the image")
	}
	data, err := f.Data(sec)
	if err != nil {
		t.Fatal(err)
	}
	data = slices.Clone(data)
	if own, err = btf.Parse(data, base); err != nil {
		t.Fatal(err)
	}
	if !sorted.IsByName(own) {
		return own, false
	}
	e := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default().With(feature.Attributes), LangExclude: []encoder.Language{0x1c},
		LikeKernel: true}}
	if base != nil {
		e.Base = encoder.NewBase(base)
	}
	res, err := e.Encode(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	types, strs := sections(t, res.Object.AppendWire(nil))
	wantTypes, wantStrs := sections(t, data)
	if !bytes.Equal(types, wantTypes) || !bytes.Equal(strs, wantStrs) {
		t.Errorf("types (%d and %d bytes) or strings (%d and %d) differ", len(types), len(wantTypes), len(strs), len(wantStrs))
	}
	return own, true
}
