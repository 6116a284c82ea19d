package dump

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// kernelBTF returns the BTF that the distribution's pahole wrote for a kernel, or nil if there is none.
func kernelBTF(t testing.TB, path string) []byte {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sec := f.Section(".BTF")
	if sec == nil {
		return nil
	}
	data, err := sec.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// benchmarkBTF returns the BTF of the kernel that benchmarks use.
func benchmarkBTF(b *testing.B) []byte {
	b.Helper()
	peer.Program(b, "bpftool")
	return kernelBTF(b, filepath.Join(peer.Lab(b), "kernels", "6.12-cloud-amd64.vmlinux"))
}

func TestKernelsLikeBpftool(t *testing.T) {
	bpftool := peer.Program(t, "bpftool")
	dir := peer.Lab(t)
	kernels, err := filepath.Glob(filepath.Join(dir, "kernels", "*.vmlinux"))
	if err != nil || len(kernels) == 0 {
		t.Fatalf("no kernels in %s (%v)", dir, err)
	}
	compared := 0
	for _, path := range kernels {
		data := kernelBTF(t, path)
		if data == nil {
			continue
		}
		name := strings.TrimSuffix(filepath.Base(path), ".vmlinux")
		file := filepath.Join(t.TempDir(), name+".btf")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := btf.Parse(data, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, tt := range []struct {
			args []string
			got  []byte
		}{
			{[]string{"btf", "dump", "file", file}, AppendRaw(nil, o)},
			{[]string{"-j", "btf", "dump", "file", file}, AppendJSON(nil, o, false)},
			{[]string{"-p", "btf", "dump", "file", file}, AppendJSON(nil, o, true)},
			{[]string{"btf", "dump", "file", file, "format", "c"}, appendC(t, o, COptions{})},
			{[]string{"btf", "dump", "file", file, "format", "c", "unsorted"}, appendC(t, o, COptions{Unsorted: true})},
		} {
			want, err := exec.Command(bpftool, tt.args...).Output()
			if err != nil {
				t.Fatalf("%s: bpftool %v: %v", name, tt.args, err)
			}
			if !bytes.Equal(tt.got, want) {
				t.Errorf("%s: bpftool %v: %s", name, tt.args, firstDifference(tt.got, want))
			}
			compared++
		}
	}
	if compared == 0 {
		t.Error("no kernel has BTF")
	}
}

func BenchmarkRawKernel(b *testing.B) {
	o, err := btf.Parse(benchmarkBTF(b), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(AppendRaw(nil, o))))
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteRaw(io.Discard, o); err != nil {
			b.Fatal(err)
		}
	}
}

func appendC(t *testing.T, o *btf.Object, opt COptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteC(&b, o, opt); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkCKernel(b *testing.B) {
	o, err := btf.Parse(benchmarkBTF(b), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteC(io.Discard, o, COptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
