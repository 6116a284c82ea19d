package html

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/measure"
	"github.com/btfbatch/btfbatch/golden/report"
)

// An imageView is the part about one image.
type imageView struct {
	ID       string
	Name     string
	Status   report.Status
	Class    string
	Note     string
	Open     bool
	Error    string
	Skipped  string
	Facts    []fact
	Identity []fact
	Bar      template.HTML
	Parts    []slice
	Kinds    []kindView
	Verdicts []verdictView
	Plain    bool // no kernel refuses the BTF or stands for others, so that a line says it all
	Warnings []fact
	Dropped  []dropView
	Section  *sectionView
	Golden   *goldenView
}

// A kindView is a kind of type, with the length of its bar in percent.
type kindView struct {
	Kind, Meaning, Count, Size, Share string
	Width                             int
}

type verdictView struct {
	check
	Kernel, For, Words string
}

type dropView struct{ What, Reason, Count string }

// A sectionView is the per-CPU section of an image.
type sectionView struct {
	*sectionMap
	Name     string
	Facts    []fact
	Rows     []variableRow
	All      int // variables and symbols
	Cut      bool
	Compared bool
}

// A variableRow is a row of the table of variables.
type variableRow struct {
	Class, Offset, Size, Name, Type, State string
}

// A goldenView is the comparison of an image with its golden.
type goldenView struct {
	check
	Path, Summary string
	Counts        []countView
	Causes        []causeRef
	More          int
	Consequences  []string
	Followed      int
	Lines         string // the first lines that differ, if there is no comparison
}

type countView struct{ Kind, Added, Removed, Changed, Followed, Accepted string }

// A causeRef is a cause in the list of an image. Its description is among the causes across images.
type causeRef struct{ Class, Tag, Sign, Name, Note, Href string }

// Limits of the part about an image.
const (
	maxImageCauses  = 40
	maxFollowed     = 12
	lessImageCauses = 8
	lessVariables   = 24
	maxVariables    = 5000
	lessWarnings    = 3
	maxWarnings     = 20
	maxLines        = 4 << 10
)

// kindMeanings say what kinds are, for readers who do not know BTF.
var kindMeanings = map[string]string{
	"INT": "numbers and characters", "PTR": "pointers", "ARRAY": "arrays", "STRUCT": "structs", "UNION": "unions", "ENUM": "enumerations",
	"FWD": "structs that are only declared", "TYPEDEF": "other names of types", "VOLATILE": "volatile types", "CONST": "const types",
	"RESTRICT": "restrict pointers", "FUNC": "functions", "FUNC_PROTO": "what functions take and return", "VAR": "variables",
	"DATASEC": "sections, with the places of variables", "FLOAT": "floating-point numbers", "DECL_TAG": "annotations of declarations",
	"TYPE_TAG": "annotations of types", "ENUM64": "enumerations of 64 bits",
}

// image returns the view of an image.
func (b *builder) image(i int, l level) *imageView {
	row := &b.rows[i]
	v := &imageView{ID: fmt.Sprintf("i%d", i+1), Name: name(row.Name), Status: row.Status, Class: "is-" + string(row.Status), Error: message(row.Error),
		Skipped: message(row.SkipReason), Note: imageNote(row), Identity: identity(row)}
	if row.Status != report.OK && b.open < maxOpen && l == full {
		v.Open = true
		b.open++
	}
	if d := row.Details; d != nil && d.Sizes != nil {
		v.Bar, v.Parts = sizeBar(d.Sizes)
		if l == full {
			v.Kinds = kindsOf(d.Sizes)
		}
	}
	v.Verdicts = verdicts(row)
	v.Plain = !slices.ContainsFunc(v.Verdicts, func(k verdictView) bool { return k.For != "" || k.Words != "" })
	v.Warnings = warningViews(row, l)
	for _, d := range row.Dropped {
		v.Dropped = append(v.Dropped, dropView{map[string]string{"func": "functions", "var": "variables"}[d.What], message(d.Reason), thousands(d.Count)})
	}
	if d := row.Details; d != nil && d.PerCPU != nil {
		v.Section = sectionViewOf(d.PerCPU, row.Golden != nil && row.Golden.Detail != nil, l)
	}
	v.Golden = b.golden(row, l)
	return v
}

// imageNote is the line beside the name of an image.
func imageNote(row *report.Row) string {
	var parts []string
	if row.Release != "" {
		parts = append(parts, name(row.Release))
	}
	if row.Arch != "" {
		parts = append(parts, name(row.Arch))
	}
	if hasBTF(row) {
		parts = append(parts, count(row.Types, "type", "types"), size(row.Bytes))
	}
	if row.Cached {
		parts = append(parts, "from the cache")
	}
	return strings.Join(parts, " · ")
}

// identity says what an image is.
func identity(row *report.Row) (list []fact) {
	add := func(what, text string) {
		if text != "" {
			list = append(list, fact{what, text})
		}
	}
	add("Kernel release", name(row.Release))
	add("Architecture", name(row.Arch))
	add("Kind", name(row.Kind))
	add("Compiler", name(row.Compiler))
	add("File", name(row.Path))
	if s := row.Source; s != nil {
		add("Source", name(s.URL))
		add("Package", name(strings.TrimSpace(s.Package+" "+s.Version)))
		add("File in the package", name(s.Member))
		if s.Unpinned {
			add("Not pinned", "it came from a network, and the manifest has no digest of it")
		}
	}
	if s := row.Series; s != nil {
		add("Series", name(s.Name))
		if s.After != nil {
			add("Compared in the series", name(s.After.String()))
		}
	}
	if row.InputBytes > 0 {
		add("Size of the file", size(int(row.InputBytes)))
	}
	add("Build ID", name(row.BuildID))
	add("Profile", name(row.Profile))
	var features []string
	for _, f := range row.Features {
		features = append(features, name(f))
	}
	add("Features", strings.Join(features, ", "))
	add("SHA-256 of the image", name(row.InputSHA256))
	add("Base", name(row.Base))
	add("SHA-256 of the base", name(row.BaseSHA256))
	add("SHA-256 of the BTF", name(row.OutputSHA256))
	if row.Split {
		add("Split BTF", "it holds only what its base, the kernel's BTF, lacks")
	}
	if hasBTF(row) {
		add("BTF", fmt.Sprintf("%s (%s): %s, %s, %s", size(row.Bytes), count(row.Bytes, "byte", "bytes"), count(row.Types, "type", "types"),
			count(row.Funcs, "function", "functions"), count(row.Vars, "variable", "variables")))
	}
	for _, o := range row.Outputs {
		add("Output "+name(o.Kind), name(o.Path)+", "+size(int(o.Bytes)))
	}
	for _, p := range row.Published {
		add("Published ("+name(p.State)+")", name(p.To)+", sha256 "+name(p.SHA256))
	}
	if row.BaseBytes > 0 {
		add("Distilled base", size(row.BaseBytes))
	}
	if row.Seconds > 0 {
		add("Time", seconds(row.Seconds))
	}
	return list
}

func kindsOf(s *measure.Sizes) (list []kindView) {
	whole, most := 0, 1
	for _, k := range s.Kinds {
		whole += k.Bytes
		most = max(most, k.Bytes)
	}
	for _, k := range s.Kinds {
		list = append(list, kindView{k.Kind, kindMeanings[k.Kind], thousands(k.Count), size(k.Bytes), percent(k.Bytes, whole), 100 * k.Bytes / most})
	}
	return list
}

func verdicts(row *report.Row) (list []verdictView) {
	for _, k := range row.Verify {
		v := verdictView{check: kernelCheck(row, k.Kernel), Kernel: name(k.Kernel), For: name(strings.Join(k.For, ", ")), Words: message(k.Problem)}
		if !k.Required && !k.Accepted {
			v.Words += " (it need not accept it)"
		}
		list = append(list, v)
	}
	return list
}

func warningViews(row *report.Row, l level) (list []fact) {
	most := maxWarnings
	if l == less {
		most = lessWarnings
	}
	for _, w := range row.Warnings {
		if len(list) == most {
			list = append(list, fact{"…", fmt.Sprintf("%d more rules", len(row.Warnings)-most)})
			break
		}
		text := ""
		if len(w.Examples) > 0 {
			text = message(w.Examples[0])
		}
		if w.Count > 1 {
			text += fmt.Sprintf(" (and %s more)", thousands(w.Count-1))
		}
		list = append(list, fact{name(w.Rule), text})
	}
	return list
}

func sectionViewOf(s *measure.Section, compared bool, l level) *sectionView {
	v := &sectionView{sectionMap: &sectionMap{States: states(s)}, Name: name(s.Name), All: len(s.Variables), Compared: compared}
	if l == full {
		if m := drawSection(s); m != nil {
			v.sectionMap = m
		}
	}
	v.Facts = []fact{{"bytes in the section", thousands(int(s.Size))}, {"variables", thousands(s.Count)},
		{count(s.Holes, "hole", "holes"), size(int(s.HoleBytes))}}
	if s.Old != 0 {
		v.Facts = append(v.Facts, fact{"end of its variables in the golden", hex(s.Old)})
	}
	keep := make([]bool, len(s.Variables))
	if l == full && len(s.Variables) <= maxVariables {
		for i := range keep {
			keep[i] = true
		}
	} else {
		v.Cut = len(s.Variables) > lessVariables
		for _, i := range notable(s, lessVariables, l) {
			keep[i] = true
		}
	}
	end := uint64(0)
	for i := range s.Variables {
		x := &s.Variables[i]
		if l == full && !v.Cut && x.State != measure.Removed {
			if x.Offset > end {
				v.Rows = append(v.Rows, variableRow{"off", hex(end), thousands(int(x.Offset - end)), "", "", "hole"})
			}
			end = max(end, x.Offset+x.Size)
		}
		if !keep[i] {
			continue
		}
		class := map[measure.State]string{measure.Added: "is-ok", measure.Removed: "is-failed", measure.Changed: "is-differs", measure.Moved: "is-skipped"}[x.State]
		v.Rows = append(v.Rows, variableRow{class, hex(x.Offset), thousands(int(x.Size)), name(x.Name), name(x.Type), stateText(x)})
	}
	if l == full && !v.Cut && end < s.Size {
		v.Rows = append(v.Rows, variableRow{"off", hex(end), thousands(int(s.Size - end)), "", "", "not used"})
	}
	return v
}

// notable returns some variables: what differs most from the golden first, then by size. Of an image that has less room, only those that
// differ count.
func notable(s *measure.Section, most int, l level) []int {
	rank := map[measure.State]int{measure.Added: 4, measure.Removed: 4, measure.Changed: 3, measure.LeftOut: 2}
	var list []int
	for i := range s.Variables {
		if l == full || rank[s.Variables[i].State] > 0 {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int {
		x, y := &s.Variables[a], &s.Variables[b]
		return cmp.Or(cmp.Compare(rank[y.State], rank[x.State]), cmp.Compare(y.Size, x.Size))
	})
	return list[:min(len(list), most)]
}

func (b *builder) golden(row *report.Row, l level) *goldenView {
	g := row.Golden
	if g == nil {
		return nil
	}
	v := &goldenView{check: goldenCheck(row), Path: name(g.Path), Summary: message(g.Summary)}
	d := g.Detail
	if d == nil {
		if !g.Verdict.OK() {
			v.Lines = lines(g.Diff)
		}
		return v
	}
	for _, n := range d.Counts {
		v.Counts = append(v.Counts, countView{string(n.Kind), orDash(n.Added), orDash(n.Removed), orDash(n.Changed), orDash(n.Followed), orDash(n.Accepted)})
	}
	most := maxImageCauses
	if l == less {
		most = lessImageCauses
	}
	for i := range d.Causes[:min(len(d.Causes), most)] {
		x := &d.Causes[i]
		words := severities[x.Severity]
		c := causeRef{words[1], words[0], signs[x.Op][0], named(x.Kind, x.Name), sizeChange(x.Size, x.Op), ""}
		if f := b.byKey[causeKey(x)]; f != nil && f.place < maxCauses {
			c.Href = "#" + f.ID
		}
		if x.Accepted != "" {
			c.Class, c.Tag = "is-ok", "accepted"
		}
		v.Causes = append(v.Causes, c)
	}
	v.More = max(g.CauseCount, len(d.Causes)) - len(v.Causes)
	for _, n := range d.Counts {
		v.Followed += n.Followed
	}
	if l == full {
		v.Consequences = consequences(d)
	}
	return v
}

func consequences(d *cause.Comparison) (list []string) {
	for i := range d.Consequences[:min(len(d.Consequences), maxFollowed)] {
		x := &d.Consequences[i]
		s := named(x.Kind, x.Name)
		if c := sizeChange(x.Size, cause.Changed); c != "" {
			s += ": " + c
		}
		if len(x.Because) > 0 {
			s += ", because of " + refText(x.Because)
		}
		list = append(list, s)
	}
	return list
}

// lines is a text of several lines, safe to show and bounded.
func lines(s string) string {
	if len(s) > maxLines {
		s = cutBytes(s, maxLines) + "…"
	}
	parts := strings.Split(s, "\n")
	for i := range parts {
		parts[i] = name(parts[i])
	}
	return strings.Join(parts, "\n")
}

func orDash(n int) string {
	if n == 0 {
		return "–"
	}
	return thousands(n)
}
