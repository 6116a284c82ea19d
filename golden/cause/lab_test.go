package cause

import (
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// kernel returns the BTF in a lab kernel.
func kernel(t testing.TB, name string) *btf.Object {
	t.Helper()
	o, err := btf.Parse(reference.Section(t, name, btf.SectionBTF), nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Comparing two kernels in both orders gives the same differences, and no kernel differs from itself in another order.
func TestKernels(t *testing.T) {
	old, new := Input{Object: kernel(t, "6.1-cloud-amd64")}, Input{Object: kernel(t, "6.12-cloud-amd64")}
	c := Compare(old, new, Options{})
	if len(c.Causes) < 5000 || len(c.Consequences) < 200 || len(c.Substitutions) < 20 {
		t.Errorf("got %d causes, %d consequences, %d substitutions", len(c.Causes), len(c.Consequences), len(c.Substitutions))
	}
	checkMirror(t, c, Compare(new, old, Options{}))
	if c := Compare(new, Input{Object: kernel(t, "6.12-cloud-amd64")}, Options{Exact: true}); !c.Verdict.Equal {
		t.Error("a kernel differs from itself")
	}
}

func BenchmarkKernels(b *testing.B) {
	old, new := kernel(b, "6.1-cloud-amd64"), kernel(b, "6.12-cloud-amd64")
	b.SetBytes(4 * int64(old.WordCount()+new.WordCount()))
	b.ReportAllocs()
	for b.Loop() {
		Compare(Input{Object: old}, Input{Object: new}, Options{})
	}
}

func BenchmarkEqualKernels(b *testing.B) {
	old, new := kernel(b, "6.12-cloud-amd64"), kernel(b, "6.12-cloud-amd64")
	b.SetBytes(4 * int64(old.WordCount()+new.WordCount()))
	b.ReportAllocs()
	for b.Loop() {
		Compare(Input{Object: old}, Input{Object: new}, Options{})
	}
}
