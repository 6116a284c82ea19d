package batch

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/golden"
)

// TestOlderKernels: every difference between our BTF and the BTF that older encoders put into real kernels is explained by a rule.
func TestOlderKernels(t *testing.T) {
	lab := os.Getenv("LAB")
	if lab == "" {
		lab = filepath.Join("..", "..", "..", ".lab")
	}
	for _, tt := range []struct{ kernel, profile, rules string }{
		{"5.10-cloud-amd64", "pahole", "flattened-arrays unresolved-forwards 32-bit-enumerators unsigned-characters floats-as-integers no-variables other-subprogram " +
			"no-optimised-copies traced-functions without-expected-registers without-parameter-order without-unambiguous-address without-consistent-prototype"},
		{"6.1-cloud-amd64", "pahole", "flattened-arrays no-variable-at-zero function-per-prototype other-subprogram no-optimised-copies " +
			"without-expected-registers without-parameter-order without-unambiguous-address without-consistent-prototype"},
		{"6.12-cloud-amd64", "pahole", "flattened-arrays other-subprogram partial-copies without-optimized-parameters without-parameter-order without-unambiguous-address"},
		{"6.12-cloud-amd64", "default", "flattened-arrays other-subprogram partial-copies without-optimized-parameters without-parameter-order " +
			"without-unambiguous-address without-zero-address"},
	} {
		t.Run(tt.kernel+" "+tt.profile, func(t *testing.T) {
			path := filepath.Join(lab, "kernels", tt.kernel+".vmlinux")
			if _, err := os.Stat(path); err != nil {
				t.Skip("the kernel is not in the lab")
			}
			items := manifest(t, "  - {name: k, profile: "+tt.profile+", path: "+path+", golden: {policy: image}}\n")
			row := Run(context.Background(), Jobs(items, ""), Options{}).Rows()[0]
			if row.Golden == nil || row.Golden.Verdict != golden.Accepted {
				t.Fatalf("got %+v, error %q", row.Golden, row.Error)
			}
			got := map[string]bool{}
			for _, a := range row.Golden.Detail.Acceptances {
				rule, ok := strings.CutPrefix(a.By, "older encoder: ")
				if !ok || a.Count == 0 {
					t.Errorf("%q accepts %d causes", a.By, a.Count)
				}
				got[rule] = true
			}
			for rule := range strings.FieldsSeq(tt.rules) {
				if !got[rule] {
					t.Errorf("the rule %s explains nothing", rule)
				}
				delete(got, rule)
			}
			if len(got) > 0 {
				t.Errorf("further rules: %v", got)
			}
		})
	}
}

// TestFuncTable: copies of a function count by their suffixes, and an address anywhere in a copy makes it traced.
func TestFuncTable(t *testing.T) {
	var f funcTable
	for _, s := range []struct {
		name        string
		value, size uint64
	}{{"plain", 0x100, 16}, {"plain.isra.0", 0x200, 16}, {"copy.isra.0", 0x300, 16}, {"copy.part.0", 0x400, 16}, {"empty", 0x500, 0}} {
		f.add(s.name, &elf.Symbol{Value: s.value, Size: s.size})
	}
	for _, tt := range []struct {
		name     string
		suffixes []string
		want     bool
	}{{"plain", nil, false}, {"copy", nil, true}, {"copy", []string{"part"}, true}, {"copy", []string{"cold"}, false}, {"none", nil, false}} {
		if got := f.onlyCopies(tt.name, tt.suffixes...); got != tt.want {
			t.Errorf("copies of %s, %q: got %t", tt.name, tt.suffixes, got)
		}
	}
	traced := []uint64{0x204, 0x310, 0x500}
	for name, want := range map[string]bool{"plain": false, "copy": true, "empty": false, "none": false} {
		if got := f.untraced(name, traced); got != want {
			t.Errorf("%s untraced: got %t, want %t", name, got, want)
		}
	}
}
