package encoder_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/show"
)

// lab finds pahole, bpftool and the kernels. If one is missing, the test is skipped, or fails if they are required.
func lab(t *testing.T) (dir string, kernels []string) {
	t.Helper()
	if testing.Short() {
		t.Skip("the peer takes a while for a whole kernel")
	}
	dir = reference.Dir(t)
	reference.Program(t, "bpftool")
	kernels, err := filepath.Glob(filepath.Join(dir, "kernels", "*.vmlinux"))
	if err != nil || len(kernels) == 0 {
		reference.Missing(t, "no kernels in %s (%v)", dir, err)
	}
	return dir, kernels
}

// peer runs pahole or bpftool and returns the output.
func peer(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.Command(filepath.Join(dir, "bin", name), args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", cmd, err, stderr.String())
	}
	return out
}

func encode(t *testing.T, image string, opt encoder.Encoder) *encoder.Result {
	t.Helper()
	f, err := elf.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if opt.LangExclude, err = encoder.ParseLanguages([]string{"rust"}); err != nil {
		t.Fatal(err)
	}
	opt.Features = feature.Default()
	res, err := opt.Encode(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// sections splits finished BTF into its type section and its string section. Headers may differ, because pahole writes a longer one.
func sections(t *testing.T, wire []byte) (types, strs []byte) {
	t.Helper()
	if len(wire) < 24 {
		t.Fatalf("BTF of %d bytes", len(wire))
	}
	var order binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint16(wire) == 0xeb9f {
		order = binary.BigEndian
	}
	word := func(at int) uint32 { return order.Uint32(wire[at:]) }
	body := wire[word(4):]
	return body[word(8):][:word(12)], body[word(16):][:word(20)]
}

// TestPeerKernels compares the BTF of whole kernels with that of pahole, section by section, and its dump with that of bpftool. Every difference
// must be in the exceptions file.
func TestPeerKernels(t *testing.T) {
	dir, kernels := lab(t)
	exceptions, err := golden.ReadExceptions(filepath.Join("testdata", "exceptions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range kernels {
		name := strings.TrimSuffix(filepath.Base(image), ".vmlinux")
		t.Run(name, func(t *testing.T) {
			comparePeer(t, dir, name, image, exceptions)
		})
	}
	for _, e := range exceptions.Stale() {
		t.Errorf("testdata/exceptions.yaml: %s accepted nothing", e)
	}
}

func comparePeer(t *testing.T, dir, name, image string, exceptions *golden.Exceptions) {
	theirs, ours := filepath.Join(t.TempDir(), "peer.btf"), filepath.Join(t.TempDir(), "ours.btf")
	want := reference.EncodeKernel(t, name, []string{"default"}, "--lang_exclude=rust")
	if err := os.WriteFile(theirs, want, 0o600); err != nil {
		t.Fatal(err)
	}
	o := encode(t, image, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole}}).Object
	got := o.AppendWire(nil)
	if err := os.WriteFile(ours, got, 0o600); err != nil {
		t.Fatal(err)
	}

	// The dump of our BTF: bpftool reads the bytes, and btfbatch prints the BTF object.
	text := dump.AppendRaw(nil, o)
	if !bytes.Equal(text, peer(t, dir, "bpftool", "btf", "dump", "file", ours, "format", "raw")) {
		t.Error("bpftool prints our BTF otherwise than we do")
	}

	// The golden is the dump of pahole's BTF. An exception may allow a difference.
	file := filepath.Join(t.TempDir(), "golden")
	if err := os.WriteFile(file, peer(t, dir, "bpftool", "btf", "dump", "file", theirs, "format", "raw"), 0o600); err != nil {
		t.Fatal(err)
	}
	res, err := golden.Compare(o, file, golden.Options{Image: name, Exceptions: exceptions})
	if err != nil {
		t.Fatal(err)
	}
	gotTypes, gotStrings := sections(t, got)
	wantTypes, wantStrings := sections(t, want)
	same := bytes.Equal(gotTypes, wantTypes) && bytes.Equal(gotStrings, wantStrings)
	switch {
	case !res.Verdict.OK():
		t.Errorf("differs from pahole's: %s", told(res))
	case res.Verdict == golden.Equal && !same:
		t.Errorf("dumps are equal, bytes are not: types %d against %d bytes, strings %d against %d", len(gotTypes), len(wantTypes),
			len(gotStrings), len(wantStrings))
	}
	t.Logf("%d types, %d bytes of types, %d of strings: %s", o.Len(), len(gotTypes), len(gotStrings), res.Verdict)
}

// TestWorkersKernel: the same bytes for any number of workers, and from the exact engine, on a whole kernel of each byte order
// that the lab has.
func TestWorkersKernel(t *testing.T) {
	_, kernels := lab(t)
	seen := map[string]bool{}
	for _, image := range kernels {
		f, err := elf.Open(image)
		if err != nil {
			t.Fatal(err)
		}
		order := f.Order.String()
		f.Close()
		if seen[order] {
			continue
		}
		seen[order] = true
		t.Run(strings.TrimSuffix(filepath.Base(image), ".vmlinux"), func(t *testing.T) {
			want := encode(t, image, encoder.Encoder{Workers: 1, VerifyDedup: true}).Object.AppendWire(nil)
			for _, workers := range []int{2, 7} {
				if got := encode(t, image, encoder.Encoder{Workers: workers}).Object.AppendWire(nil); !bytes.Equal(got, want) {
					t.Errorf("%d workers: got other bytes than 1 worker", workers)
				}
			}
		})
	}
}

// told returns the result of a comparison as text.
func told(res *golden.Result) string {
	var b strings.Builder
	if res.Comparison != nil {
		_ = show.Text(&b, res.Comparison, show.Options{}) // writing to a builder gives no error
	}
	return res.Problem + "\n" + b.String() + res.Lines
}
