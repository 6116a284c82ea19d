package encoder_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden/dump"
)

var wholeTree = flag.Bool("whole-tree", false, "compare all modules that the lab has, not only those of modulesToCompare")

// modulesToCompare are modules that are large or unusual. The lab has each of them for some kernels.
var modulesToCompare = []string{"xfs", "btrfs", "ext4", "mlx5_core", "tun", "virtio_net", "virtio_blk", "nf_conntrack", "openvswitch", "kvm",
	"kvm-amd", "kvm-intel", "nvme-core", "nvme", "ena", "gve", "hv_netvsc", "drm", "libceph", "nfsd", "zfcp", "qeth", "qdio", "aesni-intel",
	"raid456", "zram", "loop", "sctp", "tls", "dm-mod", "8021q"}

// labModules are the modules of one lab kernel, with the BTF of the kernel as their base.
type labModules struct {
	dir, kernel string
	paths       []string
	object      *btf.Object
	base        *encoder.Base // of object; all modules share it
	baseFile    string
}

// eachModules runs f for every kernel whose modules the lab has.
func eachModules(t *testing.T, f func(t *testing.T, m *labModules)) {
	t.Helper()
	dir, kernels := lab(t)
	found := false
	for _, image := range kernels {
		m := &labModules{dir: dir, kernel: strings.TrimSuffix(filepath.Base(image), ".vmlinux")}
		m.find(t)
		if len(m.paths) == 0 {
			continue
		}
		found = true
		t.Run(m.kernel, func(t *testing.T) {
			wire := encode(t, image, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole}}).Object.AppendWire(nil)
			m.baseFile = filepath.Join(t.TempDir(), "vmlinux.btf")
			if err := os.WriteFile(m.baseFile, wire, 0o600); err != nil {
				t.Fatal(err)
			}
			var err error
			if m.object, err = btf.Parse(wire, nil); err != nil {
				t.Fatal(err)
			}
			m.base = encoder.NewBase(m.object)
			f(t, m)
		})
	}
	if !found {
		reference.Missing(t, "no modules in %s", filepath.Join(dir, "modules"))
	}
}

// find collects the modules to compare.
func (m *labModules) find(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(m.dir, "modules", m.kernel), func(path string, d os.DirEntry, err error) error {
		name, ko := strings.CutSuffix(filepath.Base(path), ".ko")
		if err == nil && ko && (*wholeTree || slices.Contains(modulesToCompare, name)) {
			m.paths = append(m.paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (m *labModules) encode(t *testing.T, path string, base *encoder.Base) *btf.Object {
	t.Helper()
	return encode(t, path, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole}, Base: base}).Object
}

// TestPeerModules compares the split BTF of modules with that of pahole, byte for byte.
func TestPeerModules(t *testing.T) {
	eachModules(t, func(t *testing.T, m *labModules) {
		for _, path := range m.paths {
			theirs := filepath.Join(t.TempDir(), "peer.btf")
			peer(t, m.dir, "pahole", "-J", "--btf_base="+m.baseFile, "--btf_features=default", "--lang_exclude=rust",
				"--btf_encode_detached="+theirs, path)
			want, err := os.ReadFile(theirs)
			if err != nil {
				t.Fatal(err)
			}
			wire := m.encode(t, path, m.base).AppendWire(nil)
			if !bytes.Equal(m.encode(t, path, encoder.NewLazyBase(m.object)).AppendWire(nil), wire) {
				t.Errorf("%s: with a lazy base, the BTF is different", filepath.Base(path))
			}
			gotTypes, gotStrings := sections(t, wire)
			wantTypes, wantStrings := sections(t, want)
			if !bytes.Equal(gotTypes, wantTypes) || !bytes.Equal(gotStrings, wantStrings) {
				t.Errorf("%s: differs from pahole's: types %d against %d bytes, strings %d against %d", filepath.Base(path),
					len(gotTypes), len(wantTypes), len(gotStrings), len(wantStrings))
			}
		}
		t.Logf("%d modules", len(m.paths))
	})
}

// TestPeerDistilled compares distilled bases, and the split BTF that continues them, with those that pahole puts into modules. It also embeds both
// into a module, and compares how bpftool and btfbatch relocate it onto the kernel.
func TestPeerDistilled(t *testing.T) {
	if _, err := exec.LookPath("llvm-objcopy"); err != nil {
		reference.Missing(t, "the peer needs it to add sections to files of other machines: %v", err)
	}
	eachModules(t, func(t *testing.T, m *labModules) {
		for _, path := range m.paths {
			t.Run(filepath.Base(path), func(t *testing.T) { m.compareDistilled(t, path) })
		}
	})
}

func (m *labModules) compareDistilled(t *testing.T, path string) {
	base, split, err := distill.Distill(m.encode(t, path, m.base))
	if err != nil {
		t.Fatal(err)
	}
	embedded := []elf.EmbedSection{{Name: ".BTF", Data: split.AppendWire(nil)}, {Name: ".BTF.base", Data: base.AppendWire(nil)}}

	// pahole writes into a copy.
	theirs := filepath.Join(t.TempDir(), filepath.Base(path))
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(theirs, content, 0o600); err != nil {
		t.Fatal(err)
	}
	peer(t, m.dir, "pahole", "-J", "--btf_base="+m.baseFile, "--btf_features=default,distilled_base", "--lang_exclude=rust", theirs)
	for _, s := range embedded {
		gotTypes, gotStrings := sections(t, s.Data)
		wantTypes, wantStrings := sections(t, sectionOf(t, theirs, s.Name))
		if !bytes.Equal(gotTypes, wantTypes) || !bytes.Equal(gotStrings, wantStrings) {
			t.Errorf("%s differs from pahole's: types %d against %d bytes, strings %d against %d", s.Name, len(gotTypes), len(wantTypes),
				len(gotStrings), len(wantStrings))
		}
	}

	ours := filepath.Join(t.TempDir(), "ours.ko")
	if err := elf.Embed(path, embedded, elf.NewCopy(ours)); err != nil {
		t.Fatal(err)
	}
	relocated, err := distill.Relocate(split, base, m.object)
	if err != nil {
		t.Fatal(err)
	}
	want := peer(t, m.dir, "bpftool", "-B", m.baseFile, "btf", "dump", "file", ours, "format", "raw")
	if !bytes.Equal(dump.AppendRaw(nil, relocated), want) {
		t.Error("bpftool relocates the module otherwise than we do")
	}
}

// sectionOf reads a section of a file.
func sectionOf(t *testing.T, path, name string) []byte {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Section(name)
	if s == nil {
		t.Fatalf("%s has no section %s", path, name)
	}
	data, err := f.Data(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
