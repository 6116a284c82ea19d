package explain

import (
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
)

// TestCompare: whether the other profile decides the same is said if it was asked. Variables are matched by name and address.
func TestCompare(t *testing.T) {
	kept := encoder.VarDecision{Name: "v", Section: "s", Addr: 8, Offset: 8, Size: 4}
	dropped := kept
	dropped.Reason = encoder.VarNoSymbol
	moved := kept
	moved.Addr, moved.Offset = 16, 16
	const (
		at   = "  at s+0x8 (address 0x8), 4 bytes, profile p\n"
		same = "  profile o: the same\n"
	)
	for _, tt := range []struct {
		name   string
		mine   recorder
		theirs *recorder
		want   string
	}{
		{"nothing", recorder{}, &recorder{}, ""},
		{"same", recorder{vars: []encoder.VarDecision{kept}}, &recorder{vars: []encoder.VarDecision{kept}}, "variable v: kept\n" + at + same},
		{"one profile", recorder{vars: []encoder.VarDecision{kept}}, nil, "variable v: kept\n" + at},
		{"differs", recorder{vars: []encoder.VarDecision{kept}}, &recorder{vars: []encoder.VarDecision{dropped}},
			"variable v: kept\n" + at + "  profile o differs: left out by rule non-allocated: owns no storage in the section\n"},
		{"mine only", recorder{vars: []encoder.VarDecision{kept}}, &recorder{}, "variable v: kept\n" + at + "  profile o differs: " + absent + "\n"},
		{"theirs only", recorder{}, &recorder{vars: []encoder.VarDecision{kept}}, "variable v: " + absent + "\n" + at + "  profile o differs: kept\n"},
		{"two of one name", recorder{vars: []encoder.VarDecision{kept, moved}}, &recorder{vars: []encoder.VarDecision{moved, kept}},
			"variable v: kept\n" + at + same + "variable v: kept\n  at s+0x10 (address 0x10), 4 bytes, profile p\n" + same},
		{"function", recorder{fun: &encoder.FuncDecision{Name: "f", States: 2, Reason: encoder.FuncAmbiguousAddress}}, &recorder{fun: &encoder.FuncDecision{Name: "f", States: 2}},
			"function f: left out by rule unambiguous-address: ambiguous address\n  2 copies in DWARF, profile p\n  profile o differs: kept\n"},
		{"one copy", recorder{fun: &encoder.FuncDecision{Name: "f", States: 1}}, nil, "function f: kept\n  1 copy in DWARF, profile p\n"},
	} {
		if got := compare(&tt.mine, tt.theirs, "p", "o"); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", tt.name, got, tt.want)
		}
	}
}
