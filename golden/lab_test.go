package golden

import (
	"bytes"
	"debug/elf"
	"os/exec"
	"path/filepath"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/show"
)

// kernel is the path of a lab kernel, and the BTF that the distribution's pahole left in it.
func kernel(t testing.TB, name string) (path string, o *btf.Object) {
	t.Helper()
	reference.Program(t, "bpftool")
	path = filepath.Join(reference.Lab(t), "kernels", name+".vmlinux")
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := f.Section(".BTF").Data()
	if err != nil {
		t.Fatal(err)
	}
	if o, err = btf.Parse(data, nil); err != nil {
		t.Fatal(err)
	}
	return path, o
}

// A golden that bpftool made of pahole's output passes as it is.
func TestBpftoolGolden(t *testing.T) {
	path, o := kernel(t, "6.1-cloud-amd64")
	text, err := exec.Command(reference.Program(t, "bpftool"), "btf", "dump", "file", path, "format", "raw").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"plain": text, "zstd": compressed(t, text)} {
		res, err := Compare(o, write(t, "golden", data), Options{})
		if err != nil || res.Verdict != Equal {
			t.Errorf("%s: got %+v, %v, want the verdict equal", name, res, err)
		}
	}
	read, err := ParseRaw(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(dump.AppendRaw(nil, read), text) {
		t.Error("what was read of the golden prints otherwise")
	}
	if c := cause.Compare(cause.Input{Object: read}, cause.Input{Object: o}, cause.Options{Exact: true}); !c.Verdict.Equal {
		t.Errorf("got %s, want no type to differ", show.Summary(c))
	}
}

// shifted is a kernel with one type more near its start, so that nearly all ids differ.
func shifted(t testing.TB, o *btf.Object) *btf.Object {
	t.Helper()
	text := dump.AppendRaw(nil, o)
	base, err := ParseRaw([]byte("[1] FLOAT 'inserted' size=16\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := ParseRaw(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all.All() {
		r.References(func(id *uint32) {
			if *id != 0 {
				*id++
			}
		})
		r.StringOffsets(func(off *uint32) { *off = base.Strings.Add([]byte(all.Name(*off))) })
		base.Append(r...)
	}
	return base
}

func TestShiftedKernel(t *testing.T) {
	_, o := kernel(t, "6.12-cloud-amd64")
	path := write(t, "golden", dump.AppendRaw(nil, o))
	res, err := Compare(shifted(t, o), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := show.Summary(res.Comparison); res.Verdict != Differs || got != "float +1" {
		t.Errorf("got %s: %s, want float +1", res.Verdict, got)
	}
}

func BenchmarkCompareEqual(b *testing.B) {
	_, o := kernel(b, "6.12-cloud-amd64")
	benchmarkCompare(b, o, o, Equal)
}

func BenchmarkCompareShifted(b *testing.B) {
	_, o := kernel(b, "6.12-cloud-amd64")
	benchmarkCompare(b, o, shifted(b, o), Differs)
}

func benchmarkCompare(b *testing.B, golden, got *btf.Object, want Verdict) {
	text := dump.AppendRaw(nil, golden)
	path := write(b, "golden", text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if res, err := Compare(got, path, Options{}); err != nil || res.Verdict != want {
			b.Fatal(res, err)
		}
	}
}
