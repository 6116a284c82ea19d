package golden

import (
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/cause"
)

// TestOlderEncoders: each rule of older encoders explains what shows its lack, and not what looks similar.
func TestOlderEncoders(t *testing.T) {
	const (
		long  = "INT 'long' size=8 bits_offset=0 nr_bits=64 encoding=SIGNED"
		proto = "FUNC_PROTO '(anon)' ret_type_id=1 vlen=1|'a' type_id=1"
	)
	array := func(n string) string { return "ARRAY '(anon)' type_id=1 index_type_id=1 nr_elems=" + n }
	twoDims := []string{intType, array("3"), "ARRAY '(anon)' type_id=2 index_type_id=1 nr_elems=4", "STRUCT 's' size=48 vlen=1|'m' type_id=3 bits_offset=0"}
	oneDim := func(n string) []string {
		return []string{intType, array(n), "STRUCT 's' size=48 vlen=1|'m' type_id=2 bits_offset=0"}
	}
	enum := func(encoding, value string) []string {
		return []string{"ENUM 'e' encoding=" + encoding + " size=4 vlen=1|'V' val=" + value}
	}
	fn := func(param string) []string {
		return []string{intType, strings.Replace(proto, "'a'", "'"+param+"'", 1), "FUNC 'f' type_id=2 linkage=static"}
	}
	variable := []string{intType, "VAR 'v' type_id=1, linkage=static", "DATASEC '.data..percpu' size=4 vlen=1|type_id=2 offset=0 size=4 (VAR 'v')"}
	evidence := Evidence{
		Omitted:     func(name string) string { return map[string]string{"f": "unambiguous-address"}[name] },
		Subprograms: func(string) int { return 2 },
	}
	only := func(suffix string) Evidence {
		return Evidence{OnlyCopies: func(_ string, suffixes ...string) bool { return suffixes == nil || slices.Contains(suffixes, suffix) }}
	}
	for _, tt := range []struct {
		name     string
		old, new []string
		evidence Evidence
		want     string // the rules; empty if nothing is explained
	}{
		{"flattened array", oneDim("12"), twoDims, Evidence{}, "flattened-arrays"},
		{"array of another length", oneDim("11"), twoDims, Evidence{}, ""},
		{"array that got a dimension", twoDims, oneDim("12"), Evidence{}, ""},
		{"unsigned enum", enum("UNSIGNED", "4294967295"), enum("SIGNED", "-1"), Evidence{}, "32-bit-enumerators"},
		{"another value", enum("UNSIGNED", "4294967295"), enum("SIGNED", "-2"), Evidence{}, ""},
		{"signed enum", enum("SIGNED", "-1"), enum("UNSIGNED", "4294967295"), Evidence{}, ""},
		{"variables", []string{intType}, variable, Evidence{}, "no-variables"},
		{"variables gone", variable, []string{intType}, Evidence{}, ""},
		{"another variable", variable, append(slices.Clone(variable[:2]), "VAR 'w' type_id=1, linkage=static", "DATASEC '.data..percpu' size=8 vlen=2|type_id=2 offset=4 size=4 (VAR 'v')|type_id=3 offset=0 size=4 (VAR 'w')"),
			Evidence{}, ""},
		{"variable at 0", variable, append(slices.Clone(variable[:2]), "VAR 'w' type_id=1, linkage=static", "DATASEC '.data..percpu' size=8 vlen=2|type_id=2 offset=0 size=4 (VAR 'v')|type_id=3 offset=4 size=4 (VAR 'w')"),
			Evidence{AtZero: func(name string) bool { return name == "w" }}, "no-variable-at-zero"},
		{"names of parameters", fn("a"), fn("b"), evidence, "other-subprogram"},
		{"names of parameters of one subprogram", fn("a"), fn("b"), Evidence{Subprograms: func(string) int { return 1 }}, ""},
		{"omitted", fn("a"), []string{intType}, evidence, "without-unambiguous-address"},
		{"omitted variable", append(slices.Clone(variable[:2]), "VAR 'w' type_id=1, linkage=static", "DATASEC '.data..percpu' size=8 vlen=2|type_id=2 offset=0 size=4 (VAR 'v')|type_id=3 offset=4 size=4 (VAR 'w')"),
			variable, Evidence{OmittedVar: func(name string) string { return map[string]string{"w": "zero-address"}[name] }}, "without-zero-address"},
		{"omitted without a rule", fn("a"), []string{intType}, Evidence{}, ""},
		{"not there", []string{intType}, fn("a"), evidence, ""},
		{"partial copy", fn("a"), []string{intType}, only("part"), "partial-copies"},
		{"optimised copy gone", fn("a"), []string{intType}, only("isra"), ""},
		{"optimised copy", []string{intType}, fn("a"), only("isra"), "no-optimised-copies"},
		{"untraced", []string{intType}, fn("a"), Evidence{Untraced: func(string) bool { return true }}, "traced-functions"},
		{"traced", []string{intType}, fn("a"), Evidence{Untraced: func(string) bool { return false }}, ""},
		{"forward", []string{"FWD 's' fwd_kind=struct", intType, "STRUCT 's' size=4 vlen=1|'a' type_id=2 bits_offset=0"},
			[]string{intType, "STRUCT 's' size=4 vlen=1|'a' type_id=1 bits_offset=0"}, Evidence{}, "unresolved-forwards"},
		{"struct", []string{long, "STRUCT 's' size=8 vlen=1|'a' type_id=1 bits_offset=0"}, []string{long}, Evidence{}, ""},
		{"characters", []string{"INT 'char' size=1 bits_offset=0 nr_bits=8 encoding=(none)"}, []string{"INT 'char' size=1 bits_offset=0 nr_bits=8 encoding=SIGNED"},
			Evidence{}, "unsigned-characters"},
		{"other numbers", []string{"INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=(none)"}, []string{intType}, Evidence{}, ""},
		{"floats", []string{"INT 'double' size=8 bits_offset=0 nr_bits=64 encoding=(none)"}, []string{"FLOAT 'double' size=8"}, Evidence{}, "floats-as-integers"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			old, new := parse(t, types(tt.old...)), parse(t, types(tt.new...))
			compare := func(e *Evidence) (string, Verdict) {
				res := CompareOwn(new, cause.Input{Object: old}, Options{Older: e})
				var rules []string
				for _, a := range res.Comparison.Acceptances {
					rules = append(rules, strings.TrimPrefix(a.By, olderEncoder))
				}
				return strings.Join(rules, ", "), res.Verdict
			}
			verdict := Differs
			if tt.want != "" {
				verdict = Accepted
			}
			if got, v := compare(&tt.evidence); got != tt.want || v != verdict {
				t.Errorf("got %q, %s, want %q, %s", got, v, tt.want, verdict)
			}
			if got, v := compare(nil); got != "" || v != Differs {
				t.Errorf("without evidence: got %q, %s", got, v)
			}
		})
	}
}
