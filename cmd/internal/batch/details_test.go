package batch

import (
	"testing"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/measure"
)

// TestDetails checks that measurements agree with the row, and that none are taken unless they are wanted.
func TestDetails(t *testing.T) {
	const image = "../../../corpus/images/gcc12-x86_64-dwarf5-zerobased.elf"
	jobs := []Job{{Name: "a", File: corpus.FileAt(image, corpus.Pins{}), Base: -1}}
	row := Run(t.Context(), jobs, Options{Details: true}).Rows()[0]
	d := row.Details
	if d == nil || d.Sizes == nil || d.PerCPU == nil {
		t.Fatalf("row %+v has no details: %+v", row, d)
	}
	s := d.Sizes
	if sum := s.Types + s.Functions + s.Variables + s.Strings + s.Other; sum != row.Bytes {
		t.Errorf("the parts add up to %d bytes, the BTF has %d", sum, row.Bytes)
	}
	if d.PerCPU.Count != row.Vars {
		t.Errorf("the section has %d variables, the row %d", d.PerCPU.Count, row.Vars)
	}
	left := 0
	for _, v := range d.PerCPU.Variables {
		if v.State == measure.LeftOut {
			if left++; v.Rule == "" || v.Reason == "" || v.Size == 0 || v.Name == "" {
				t.Errorf("a symbol that is left out without a reason: %+v", v)
			}
		}
	}
	if left == 0 {
		t.Error("no symbol is left out, though one lies at address 0")
	}
	total := 0.0
	for _, p := range d.Phases {
		total += p.Seconds
	}
	if len(d.Phases) < 5 || total <= 0 || total > row.Seconds*1.5+0.1 {
		t.Errorf("%d phases take %v s, the image %v s", len(d.Phases), total, row.Seconds)
	}
	if d := Run(t.Context(), jobs, Options{}).Rows()[0].Details; d != nil {
		t.Errorf("got details that nobody wants: %+v", d)
	}
}
