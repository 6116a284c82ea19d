package sorted_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// TestKernels sorts the BTF that distributions ship in whole kernels, and compares the result with that of the kernel's build tool. The tool comes
// with Linux 7.2, and is optional: testdata/make.sh says where to get it.
func TestKernels(t *testing.T) {
	dir := peer.Lab(t)
	tool := filepath.Join(dir, "bin", "resolve_btfids")
	if _, err := os.Stat(tool); err != nil {
		t.Skipf("no build tool of the kernel: %v", err)
	}
	images, err := filepath.Glob(filepath.Join(dir, "kernels", "*.vmlinux"))
	if err != nil || len(images) == 0 {
		t.Skipf("no kernels in %s (%v)", dir, err)
	}
	for _, image := range images {
		t.Run(filepath.Base(image), func(t *testing.T) {
			own := section(t, image)
			link := filepath.Join(t.TempDir(), "vmlinux") // the tool writes into its folder
			input := link + ".in"
			if err := os.WriteFile(input, own, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(image, link); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), tool, "--btf", input, link).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			gotTypes, gotStrings := sections(t, sorted.ByName(parse(t, slices.Clone(own), nil)).AppendWire(nil))
			wantTypes, wantStrings := sections(t, read(t, link+".BTF"))
			if len(wantTypes) > len(gotTypes) {
				t.Skip("the tool does more than sort: it adds prototypes of kfuncs with implicit arguments, by the flags in .BTF_ids")
			}
			if !bytes.Equal(gotTypes, wantTypes) || !bytes.Equal(gotStrings, wantStrings) {
				t.Errorf("types (%d and %d bytes) or strings (%d and %d bytes) differ", len(gotTypes), len(wantTypes), len(gotStrings), len(wantStrings))
			}
		})
	}
}

// section returns the section .BTF of an image.
func section(t *testing.T, image string) []byte {
	t.Helper()
	f, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Section(".BTF")
	if s == nil {
		t.Skip("the image came without BTF")
	}
	data, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}
