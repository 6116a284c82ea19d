package encoder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// encodeSeveral encodes images that are in memory into one BTF.
func encodeSeveral(t *testing.T, images [][]byte, opt encoder.Encoder) (*encoder.Result, error) {
	t.Helper()
	files := make([]*elf.File, len(images))
	for i, image := range images {
		f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
		if err != nil {
			t.Fatal(err)
		}
		f.Path = fmt.Sprintf("image%d", i)
		files[i] = f
	}
	return opt.EncodeAll(context.Background(), files)
}

// sameSeveral compares the result with that of pahole, for 1, 2 and 7 workers.
func sameSeveral(t *testing.T, images [][]byte, opt encoder.Encoder, args ...string) {
	t.Helper()
	want := reference.EncodeAll(t, images, opt.Features.Names(), args...)
	for _, opt.Workers = range []int{1, 2, 7} {
		res, err := encodeSeveral(t, images, opt)
		switch {
		case errors.Is(err, encoder.ErrNoTypes) && want == nil:
		case err != nil:
			t.Errorf("got %v, want the peer's %d bytes", err, len(want))
		case !bytes.Equal(res.Object.AppendWire(nil), want):
			t.Errorf("got %d bytes, want the peer's %d; they differ from byte %d on", len(res.Object.AppendWire(nil)), len(want),
				firstDifference(res.Object.AppendWire(nil), want))
		}
	}
}

// TestSeveralImages: two to four committed images of any architecture, some of them twice, give the bytes of pahole.
func TestSeveralImages(t *testing.T) {
	reference.Dir(t)
	var paths []string
	for _, name := range imageNames(t) {
		paths = append(paths, imagePath(t, name))
	}
	for _, name := range []string{"plain", "clang", "lto", "note1", "dwz-note0", "rust", "zdebug", "gdbindex", "emitrelocs"} {
		paths = append(paths, filepath.Join(unusualFolder, name+".elf"))
	}
	languages := []string{"", "", "c11", "rust", "asm"}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(7, seed))
		var images [][]byte
		var names []string
		for range 2 + r.IntN(3) {
			path := paths[r.IntN(len(paths))]
			images, names = append(images, read(t, path)), append(names, filepath.Base(path))
			if r.IntN(4) == 0 {
				images, names = append(images, images[0]), append(names, names[0])
			}
		}
		opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}}
		for _, f := range []feature.Feature{feature.GlobalVar, feature.TrueSignature, feature.ForceCUMerging} {
			if r.IntN(4) == 0 {
				opt.Features = opt.Features.With(f)
			}
		}
		var args []string
		if lang := languages[r.IntN(len(languages))]; lang != "" {
			args = []string{"--lang_exclude=" + lang}
			opt.LangExclude, _ = encoder.ParseLanguages([]string{lang})
		}
		t.Run(fmt.Sprintf("%d: %s %s %s", seed, strings.Join(args, ""), opt.Features, strings.Join(names, " ")), func(t *testing.T) {
			sameSeveral(t, images, opt, args...)
		})
	}
}

// TestSeveralPrograms: several random programs with common names give the bytes of pahole.
func TestSeveralPrograms(t *testing.T) {
	reference.Dir(t)
	for seed := range uint64(10) {
		for kind, p := range programs(2000 + seed) {
			t.Run(fmt.Sprintf("%s/%d", kind, seed), func(t *testing.T) {
				images := [][]byte{p.image(3), p.image(2), p.image(1)}
				sameSeveral(t, images, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}})
			})
		}
	}
}

// TestSeveralLead: the BTF belongs to the first image with a unit that is not left out, and has its byte order.
func TestSeveralLead(t *testing.T) {
	rust, plain, s390 := read(t, filepath.Join(unusualFolder, "rust.elf")), read(t, filepath.Join(unusualFolder, "plain.elf")), read(t, imagePath(t, "gcc12-s390x-dwarf5-based"))
	for _, row := range []struct {
		name    string
		images  [][]byte
		primary int
		magic   []byte
	}{
		{"all count", [][]byte{rust, plain, s390}, 0, []byte{0x9f, 0xeb}},
		{"two are left out", [][]byte{plain, plain, rust, s390}, 2, []byte{0x9f, 0xeb}},
		{"of one the assembler is left", [][]byte{plain, s390, rust}, 1, []byte{0xeb, 0x9f}},
	} {
		opt := likePeer()
		opt.LangExclude, _ = encoder.ParseLanguages([]string{"c11"})
		res, err := encodeSeveral(t, row.images, opt)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if magic := res.Object.AppendWire(nil)[:2]; res.Primary != row.primary || !bytes.Equal(magic, row.magic) {
			t.Errorf("%s: got primary image %d, BTF %x, want %d, %x", row.name, res.Primary, magic, row.primary, row.magic)
		}
	}
}

// TestSeveralErrors: an error in one image is the error for all images, and names that image.
func TestSeveralErrors(t *testing.T) {
	good := synth.Sample(synth.Target{}).Bytes()
	b := synth.New(synth.Target{})
	b.Text(".text", 0x1000, 16)
	for _, row := range []struct {
		name string
		bad  []byte
		want string
	}{
		{"no DWARF", b.Bytes(), "image1: no DWARF"},
		{"no symbols", synth.Sample(synth.Target{NoSymtab: true}).Bytes(), "image1: no symbol table"},
		{"no BTF for it", read(t, filepath.Join(unusualFolder, "atomic.elf")), "image1: CU 0: "},
	} {
		if _, err := encodeSeveral(t, [][]byte{good, row.bad}, likePeer()); err == nil || !strings.HasPrefix(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
	if _, err := encodeSeveral(t, [][]byte{good, good}, encoder.Encoder{}); !errors.Is(err, encoder.ErrSeveral) {
		t.Errorf("default profile: got %v", err)
	}
}
