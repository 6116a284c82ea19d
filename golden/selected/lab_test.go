package selected

import (
	"bytes"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
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

// The golden of the per-CPU section and twenty structs is small, and compared with the kernel it is equal.
func TestKernelSize(t *testing.T) {
	const most = 40_000
	o := kernel(t, "6.12-cloud-amd64")
	s := parseSelection(t, ".data..percpu", "struct:task_struct", "struct:cred", "struct:file", "struct:dentry", "struct:path", "struct:qstr",
		"struct:pid", "struct:nsproxy", "struct:css_set", "struct:fs_struct", "struct:files_struct", "struct:fdtable", "struct:linux_binprm",
		"struct:trace_event_call", "struct:sched_entity", "struct:bpf_map", "struct:bio", "struct:ns_common", "struct:kernel_siginfo", "struct:pt_regs")
	if missing := s.Missing(o); missing != nil {
		t.Fatalf("the kernel lacks %v", missing)
	}
	text, err := Append(nil, o, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d lines", len(text), bytes.Count(text, []byte("\n")))
	if len(text) > most {
		t.Errorf("got %d bytes, want at most %d", len(text), most)
	}
	g, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	same(t, g, text)
	is, err := Reduce(o, g.Selection)
	if err != nil {
		t.Fatal(err)
	}
	if c := cause.Compare(g.Input("", ""), is.Input("", ""), cause.Options{}); !c.Verdict.Equal {
		t.Errorf("it differs from the kernel: %+v", c.Causes)
	}
}

// The differences between two kernels in the selected declarations are those of the whole comparison.
func TestKernelDifferences(t *testing.T) {
	old, new := kernel(t, "6.1-cloud-amd64"), kernel(t, "6.12-cloud-amd64")
	s := parseSelection(t, ".data..percpu", "struct:task_struct", "struct:rq", "struct:file")
	a, err := Reduce(old, s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Reduce(new, s)
	if err != nil {
		t.Fatal(err)
	}
	some := cause.Compare(a.Input("", ""), b.Input("", ""), cause.Options{})
	whole := cause.Compare(cause.Input{Object: old}, cause.Input{Object: new}, cause.Options{})
	members := func(c *cause.Comparison, name string) (list []string) {
		for i := range c.Causes {
			if x := &c.Causes[i]; x.Kind == cause.Struct && x.Name == name {
				for _, m := range x.Members {
					list = append(list, m.Path+" "+string(m.Op))
				}
			}
		}
		return list
	}
	for _, name := range []string{"task_struct", "rq", "file"} {
		got, want := members(some, name), members(whole, name)
		if len(want) == 0 || len(got) != len(want) {
			t.Errorf("%s: got %d changes, want %d: %v, %v", name, len(got), len(want), got, want)
		}
	}
}
