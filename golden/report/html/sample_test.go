package html

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/measure"
	"github.com/btfbatch/btfbatch/golden/report"
)

// sample has an image of every sort, and a struct and a section that differ.
func sample() *report.Report {
	r := report.New([]string{"debian-6.1-amd64", "debian-6.12-amd64", "refused", "broken", "skipped", "lost", "late"})
	r.Tool = report.Tool{Name: "btfbatch", Version: "1.2.3"}
	r.Manifest = report.Manifest{Path: "corpus/kernels.yaml", SHA256: strings.Repeat("ab", 32)}
	r.Seconds = 4.5
	r.Stale, r.Used = []string{"exceptions.yaml:3: added func old_*"}, []string{"exceptions.yaml:9: changed struct kabi"}
	r.Setup = report.Setup{Command: "btfbatch run corpus/kernels.yaml", Common: []report.Setting{{Key: "profile", Value: "pahole"}},
		Images: []report.ImageSetup{{Name: "debian-6.1-amd64", Settings: []report.Setting{{Key: "path", Value: "vmlinux-6.1"}}}, {Name: "skipped"}}}
	good := image("debian-6.1-amd64", 0)
	good.Golden = &report.Comparison{Path: "golden/6.1.raw", Verdict: golden.Equal}
	r.Add(good)
	differs := image("debian-6.12-amd64", 1.25)
	c := comparison()
	differs.Golden = &report.Comparison{Path: "golden/6.12.raw", Verdict: golden.Differs, Summary: "struct ~1, var +1 −1; breaks 2", CauseCount: len(c.Causes), Detail: c}
	differs.Details.PerCPU = section()
	differs.Details.Layouts = map[string]*cause.Layout{c.Causes[0].Key: layout()}
	differs.Warnings = []report.Warning{{Rule: "duplicate-struct", Count: 3, Examples: []string{`type 9, "s": there is another STRUCT of this name`}}}
	r.Add(differs)
	refused := image("refused", 2.5)
	refused.Verify = []report.Verification{{Kernel: "6.1", Accepted: true, Required: true}, {Kernel: "6.12", For: []string{"6.13"}, Required: true, Problem: "[5] INT int: Invalid size"}}
	r.Add(refused)
	r.Add(report.Row{Name: "broken", Seconds: 0.01, Error: "CU 812: .debug_info+0x4a31f0: abbrev code 311 is not declared"})
	r.Add(report.Row{Name: "skipped", SkipReason: "its base failed"})
	r.Add(report.Row{Name: "late", Interrupted: true})
	return r
}

// image is a good row with all measurements.
func image(name string, start float64) report.Row {
	return report.Row{
		Name: name, Arch: "x86_64", Profile: "pahole", Features: []string{"var", "float"}, BuildID: "00c0ffee", Kind: "kernel", Release: "6.12.1-amd64",
		Path: "vmlinux", InputBytes: 300 << 20, Types: 107183, Bytes: 4698269, Vars: 385, Funcs: 47147, Seconds: 1.25, InputSHA256: strings.Repeat("a1", 32),
		OutputSHA256: strings.Repeat("b2", 32), Outputs: []report.Output{{Kind: "btf", Path: "out/a.btf", Bytes: 4698269}},
		Dropped: []report.Drop{{What: "func", Reason: "inconsistent prototypes", Count: 312}, {What: "var", Reason: "symbol value is 0", Count: 2}},
		Verify:  []report.Verification{{Kernel: "6.1", Accepted: true, Required: true}, {Kernel: "6.12", Accepted: true, Required: true}},
		Details: &report.Details{Start: start,
			Sizes: &measure.Sizes{Kinds: []measure.KindSize{{Kind: "INT", Count: 15, Bytes: 240}, {Kind: "STRUCT", Count: 9382, Bytes: 771000}, {Kind: "FUNC", Count: 47147, Bytes: 565764}},
				Types: 1300000, Functions: 1418000, Variables: 10700, Strings: 1969545, Other: 24},
			Phases: []report.Phase{{Name: "translation", Seconds: 0.75, CPU: 1.5, PeakRSS: 60 << 20}, {Name: "deduplication", Seconds: 0.25, CPU: 0.5, PeakRSS: 90 << 20},
				{Name: "output", Seconds: 0.25, CPU: 0.25, PeakRSS: 90 << 20}},
		},
	}
}

// comparison has a struct that grew, a variable that was added and one that was removed, and one accepted change.
func comparison() *cause.Comparison {
	at := func(b uint64) *cause.Extent { return &cause.Extent{Bit: b * 8, Bytes: 8} }
	c := &cause.Comparison{Schema: cause.Schema, Verdict: cause.Verdict{Break: 2, Add: 1},
		Causes: []cause.Cause{
			{ID: 1, Key: "struct/task/0123456789", Kind: cause.Struct, Name: "task", Op: cause.Changed, Severity: cause.Break, Rules: []cause.Rule{cause.MemberAdded, cause.MemberType},
				Size: &cause.Size{Old: 200, New: 208}, Impact: cause.Impact{Types: 12, Funcs: 340, Sample: []cause.Ref{{Kind: cause.Struct, Name: "rq", Op: cause.Changed, Size: &cause.Size{Old: 640, New: 648}}}},
				Members: []cause.Change{
					{Part: cause.Member, Path: "pid", Op: cause.Changed, Rule: cause.MemberType, Severity: cause.Break, Old: "int", New: "pid_t", OldAt: at(8), NewAt: at(8)},
					{Part: cause.Member, Path: "stats.count", Op: cause.Added, Rule: cause.MemberAdded, Severity: cause.Add, New: "u64", NewAt: at(16)},
					{Part: cause.Member, Path: "old", Op: cause.Removed, Rule: cause.MemberRemoved, Severity: cause.Break, Old: "void *", OldAt: at(120)},
				},
				Shifts: []cause.Shift{{From: "a0", To: "a9", Count: 10, Bytes: 8, Bits: 64}}},
			{ID: 2, Key: "var/gone/0123456789", Kind: cause.Var, Name: "gone", Op: cause.Removed, Severity: cause.Break, Rules: []cause.Rule{cause.VarRemoved}, Declaration: "int gone",
				Size: &cause.Size{Old: 64}, Members: []cause.Change{{Part: cause.Whole, Op: cause.Removed, Rule: cause.VarRemoved, OldAt: at(64)}}},
			{ID: 3, Key: "var/fresh/0123456789", Kind: cause.Var, Name: "fresh", Op: cause.Added, Severity: cause.Add, Rules: []cause.Rule{cause.VarAdded}, Declaration: "long fresh[16]",
				Size: &cause.Size{New: 128}, Members: []cause.Change{{Part: cause.Whole, Op: cause.Added, Rule: cause.VarAdded, NewAt: at(256)}}},
			{ID: 4, Key: "func/f/0123456789", Kind: cause.Func, Name: "f", Op: cause.Changed, Severity: cause.Break, Rules: []cause.Rule{cause.FuncSignature}, Accepted: "vendors may do that",
				Members: []cause.Change{{Part: cause.Parameter, Path: "n", Op: cause.Changed, Rule: cause.FuncSignature, Old: "int", New: "long"}}},
		},
		Consequences: []cause.Consequence{{Kind: cause.Struct, Name: "rq", Size: &cause.Size{Old: 640, New: 648}, Because: []cause.Ref{{Kind: cause.Struct, Name: "task", Cause: 1, Op: cause.Changed}}}},
		Counts:       []cause.Count{{Kind: cause.Struct, Changed: 1, Followed: 1}, {Kind: cause.Var, Added: 1, Removed: 1}},
	}
	return c
}

// layout is a struct with a member added, one removed, and many that moved.
func layout() *cause.Layout {
	l := &cause.Layout{Cause: 1}
	add := func(path string, old, new int64, size uint64, changed bool) {
		was, is := cause.Placed{Path: path, Type: "long", Bit: uint64(old) * 8, Bytes: size, Mate: -1, Changed: changed}, cause.Placed{Path: path, Type: "long", Bit: uint64(new) * 8, Bytes: size, Mate: -1, Changed: changed}
		if old >= 0 && new >= 0 {
			was.Mate, is.Mate = len(l.New), len(l.Old)
		}
		if old >= 0 {
			l.Old = append(l.Old, was)
		}
		if new >= 0 {
			l.New = append(l.New, is)
		}
	}
	add("state", 0, 0, 4, false)
	add("pid", 8, 8, 4, true)
	add("stats.count", -1, 16, 8, false)
	for i := range int64(60) {
		add(fmt.Sprintf("a%d", i), 16+8*i, 24+8*i, 8, false)
	}
	add("old", 600, -1, 8, false)
	l.Old = append(l.Old, cause.Placed{Path: "flag", Type: "unsigned int", Bit: 608 * 8, Bits: 3, Bytes: 4, Mate: len(l.New)},
		cause.Placed{Path: "as_union", Type: "char", Bit: 608 * 8, Bytes: 1, Mate: -1})
	l.New = append(l.New, cause.Placed{Path: "flag", Type: "unsigned int", Bit: 616 * 8, Bits: 3, Bytes: 4, Mate: len(l.Old) - 2})
	return l
}

// section is a per-CPU section with variables of every state.
func section() *measure.Section {
	s := &measure.Section{Name: ".data..percpu", Size: 8192, Count: 46, Holes: 2, HoleBytes: 100, Old: 8000}
	s.Variables = append(s.Variables, measure.Variable{Name: "fixed_percpu_data", Offset: 0, Size: 48, State: measure.LeftOut, Rule: "zero-address", Reason: "symbol value is 0"})
	for i := range uint64(40) {
		s.Variables = append(s.Variables, measure.Variable{Name: fmt.Sprintf("small_%d", i), Type: "int", Offset: 64 + 8*i, Old: 64 + 8*i, Size: 8})
	}
	s.Variables = append(s.Variables,
		measure.Variable{Name: "gone", Type: "int gone", Offset: 512, Old: 512, Size: 64, State: measure.Removed},
		measure.Variable{Name: "irq_stack", Type: "struct irq_stack", Offset: 512, Old: 512, Size: 4096},
		measure.Variable{Name: "fresh", Type: "long int [16]", Offset: 4608, Old: 4608, Size: 128, State: measure.Added},
		measure.Variable{Name: "runqueues", Type: "struct rq", Offset: 4736, Old: 4608, Size: 2048, State: measure.Changed},
		measure.Variable{Name: "softnet_data", Type: "struct softnet_data", Offset: 6784, Old: 6656, Size: 512, State: measure.Moved})
	return s
}

// evil are names that a page must show as text, whatever they contain.
var evil = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; drop table images; --`, "a\u202egnp.exe", "a\u2066b\u2069", "tab\tand\nnew\r line", "nul\x00 esc\x1b[31m", "\xff\xfe not utf-8",
	`</title></style></svg>`, `javascript:alert(1)`, `{{.}}`, "]]>", `<!-- -->`, "&lt;b&gt;", strings.Repeat("long", 1<<18), "\ufeffzero\u200bwidth",
}

// hostile has images, types, variables, errors and paths with such names.
func hostile() *report.Report {
	var names []string
	for i, s := range evil {
		names = append(names, fmt.Sprintf("%d%s", i, s))
	}
	r := report.New(names)
	r.Setup.Command = "btfbatch run " + evil[0]
	r.Stale, r.Used = evil[:3], evil[3:6]
	r.Manifest = report.Manifest{Path: evil[0], SHA256: evil[1]}
	r.Tool.Version = evil[1]
	for i, s := range evil {
		row := image(names[i], float64(i))
		row.Arch, row.Release, row.BuildID, row.Path, row.Kind, row.Compiler = s, s, s, s, s, s
		row.Source = &report.Source{URL: s, Package: s, Version: s, Member: s, Unpinned: true}
		row.Features = []string{s}
		row.Dropped = []report.Drop{{What: "func", Reason: s, Count: 1}}
		row.Warnings = []report.Warning{{Rule: s, Count: 1, Examples: []string{s}}}
		row.Verify = []report.Verification{{Kernel: "6.1", For: []string{s}, Problem: s}}
		row.Details.Phases = append(row.Details.Phases, report.Phase{Name: s, Seconds: 1})
		row.Details.PerCPU = &measure.Section{Name: s, Size: 256, Count: 2, Variables: []measure.Variable{{Name: s, Type: s, Size: 8}, {Name: s, Type: s, Offset: 8, Size: 200, State: measure.LeftOut, Rule: s, Reason: s}}}
		if i%3 == 0 {
			row.Error = s
		}
		key := "struct/" + s + "/0"
		row.Golden = &report.Comparison{Path: s, Verdict: golden.Differs, Summary: s, Diff: s, Detail: &cause.Comparison{Causes: []cause.Cause{{ID: 1, Key: key, Kind: cause.Struct, Name: s, Op: cause.Changed,
			Severity: cause.Break, Rules: []cause.Rule{cause.MemberType}, Size: &cause.Size{Old: 8, New: 16}, Accepted: map[bool]string{true: s}[i%2 == 0], Declaration: s,
			Members: []cause.Change{{Part: cause.Member, Path: s, Op: cause.Renamed, OldPath: s, Old: s, New: s + "x", Hint: s}}, Shifts: []cause.Shift{{From: s, To: s, Count: 2, Bits: 8}},
			Because: []cause.Ref{{Kind: cause.Struct, Name: s}}}}}}
		row.Details.Layouts = map[string]*cause.Layout{key: {Old: []cause.Placed{{Path: s, Type: s, Bytes: 8, Mate: -1}}, New: []cause.Placed{{Path: s, Type: s, Bytes: 16, Mate: -1}}}}
		r.Setup.Images = append(r.Setup.Images, report.ImageSetup{Name: s, Settings: []report.Setting{{Key: s, Value: s}}})
		r.Add(row)
	}
	return r
}

// many is a batch of n kernels. Every image has 400 per-CPU variables, and share of them differ from their goldens in 100 ways, of which most
// are their own.
func many(n int, share float64) *report.Report {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("ubuntu-%d.%d.0-%d-generic-amd64", 5+i%3, i%20, i)
	}
	r := report.New(names)
	r.Seconds = float64(n)
	for i, name := range names {
		row := image(name, float64(i))
		row.Details.PerCPU = largeSection(i)
		row.Warnings = []report.Warning{{Rule: "duplicate-struct", Count: 13, Examples: []string{`type 12750, "syscall_tp_t": there is another STRUCT of this name`}}}
		row.Golden = &report.Comparison{Path: "golden/" + name + ".raw.zst", Verdict: golden.Equal}
		if float64(i) < share*float64(n) {
			c := &cause.Comparison{Counts: []cause.Count{{Kind: cause.Struct, Changed: 100}}}
			for j := range 100 {
				key := fmt.Sprintf("struct/s%d/%d", j, i*(j%10)) // a tenth is common to all
				c.Causes = append(c.Causes, cause.Cause{ID: j + 1, Key: key, Kind: cause.Struct, Name: fmt.Sprintf("a_struct_with_a_name_%d", j), Op: cause.Changed, Severity: cause.Break,
					Rules: []cause.Rule{cause.MemberAdded}, Size: &cause.Size{Old: 640, New: 648}, Impact: cause.Impact{Funcs: 100 - j},
					Members: []cause.Change{{Part: cause.Member, Path: "member", Op: cause.Added, New: "long unsigned int", NewAt: &cause.Extent{Bit: 64, Bytes: 8}}}})
				if j < 24 {
					if row.Details.Layouts == nil {
						row.Details.Layouts = map[string]*cause.Layout{}
					}
					row.Details.Layouts[key] = layout()
				}
			}
			row.Golden = &report.Comparison{Path: "golden/" + name + ".raw.zst", Verdict: golden.Differs, Summary: "struct ~100", CauseCount: 100, Detail: c}
		}
		r.Add(row)
		r.Setup.Images = append(r.Setup.Images, report.ImageSetup{Name: name, Settings: []report.Setting{{Key: "path", Value: "/srv/kernels/" + name + "/vmlinux"}, {Key: "golden", Value: "golden/" + name + ".raw.zst"}}})
	}
	return r
}

func largeSection(seed int) *measure.Section {
	s := &measure.Section{Name: ".data..percpu", Size: 233472, Count: 400, Holes: 147, HoleBytes: 17000}
	off := uint64(0)
	for i := range 400 {
		size := uint64(8)
		if (i+seed)%9 == 0 {
			size = 512
		}
		state := measure.Same
		if seed%2 == 0 && i > 100 {
			state = measure.Moved
		}
		s.Variables = append(s.Variables, measure.Variable{Name: fmt.Sprintf("a_per_cpu_variable_%d", i), Type: "struct something_per_cpu", Offset: off, Old: off, Size: size, State: state})
		off += size + uint64(i%3)*8
	}
	return s
}
