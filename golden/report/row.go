package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// This file is the model of an image's result. Its JSON names are the form that docs/reports.md and report.schema.json describe.

// A Row is the result for one image. Add, Read and Merge set Status, and complete Failure and Error.
type Row struct {
	Name    string  `json:"name"`
	Status  Status  `json:"status"`
	Failure Failure `json:"failure,omitempty"` // why the status is not ok
	Error   string  `json:"error,omitempty"`   // one line; empty unless the image failed

	// Line is the line of the image in the manifest, from 1; 0 if it is not known.
	Line int `json:"line,omitempty"`
	// Manifest is the included manifest, or the list, that Line is a line of; empty for the manifest of the run.
	Manifest string `json:"manifest,omitempty"`
	// Path is the file of the image, as the run opened it; empty if the image is not a file of its own.
	Path string `json:"path,omitempty"`
	// Source says where the image comes from if it is not a file of its own.
	Source   *Source  `json:"source,omitempty"`
	Arch     string   `json:"arch,omitempty"`
	Profile  string   `json:"profile,omitempty"`
	Features []string `json:"features,omitempty"`
	BuildID  string   `json:"build_id,omitempty"` // lower-case hex
	Kind     string   `json:"kind,omitempty"`     // what the image says that it is: kernel or module
	Release  string   `json:"release,omitempty"`  // of the kernel that it is, or is for
	Compiler string   `json:"compiler,omitempty"` // that built the kernel, as it says

	InputBytes  int64  `json:"input_bytes,omitempty"`  // of the image, as stored
	InputSHA256 string `json:"input_sha256,omitempty"` // of the image, as stored; digests are lower-case hex
	// Base names the image, or the file, that the base comes from; BaseSHA256 is the digest of that file.
	Base       string `json:"base,omitempty"`
	BaseSHA256 string `json:"base_sha256,omitempty"`

	// Split is set if the BTF continues a base. Then all its types may be those of the base.
	Split bool `json:"split,omitempty"`
	Types int  `json:"types"`
	Funcs int  `json:"funcs"`
	Vars  int  `json:"vars"`
	Bytes int  `json:"bytes"` // of the BTF
	// PerCPU counts the VARs of per-CPU variables.
	PerCPU int `json:"percpu_vars,omitempty"`
	// BaseBytes is the size of the distilled base.
	BaseBytes    int    `json:"distilled_base_bytes,omitempty"`
	OutputSHA256 string `json:"output_sha256,omitempty"` // of the BTF, before it is compressed
	// Outputs are the files that were published.
	Outputs []Output `json:"outputs,omitempty"`
	// Published says where the outputs were published, besides their paths.
	Published []Publication `json:"published,omitempty"`

	// Dropped counts the functions and variables that were left out on purpose.
	Dropped []Drop `json:"dropped,omitempty"`
	// Verify has the verdict of each kernel generation.
	Verify []Verification `json:"verify,omitempty"`
	// Warnings are findings that no kernel refuses.
	Warnings []Warning `json:"warnings,omitempty"`
	// Golden is nil if the BTF was not compared.
	Golden *Comparison `json:"golden,omitempty"`
	// Series says what the image was compared with in its series; nil if it is in none.
	Series *Series `json:"series,omitempty"`
	// Details are nil if no report wants them.
	Details *Details `json:"details,omitempty"`

	// Cached is set if the BTF was not made in this run but taken from the cache.
	Cached bool `json:"from_cache,omitempty"`

	// Transient is set if another attempt can succeed: the network failed, or a disk is full.
	Transient bool `json:"transient,omitempty"`

	Seconds     float64 `json:"seconds"`
	SkipReason  string  `json:"skip_reason,omitempty"`
	Interrupted bool    `json:"-"` // not done; the status says so
}

// A Source is the package that an image is in, or the place on a network that it came from.
type Source struct {
	URL     string `json:"url,omitempty"`     // empty for a package that is a file
	Package string `json:"package,omitempty"` // what the package says of itself
	Version string `json:"version,omitempty"`
	Member  string `json:"member,omitempty"` // path in the package
	// Unpinned means that the bytes came from a network, and that no digest in the manifest says which ones they must be.
	Unpinned bool `json:"unpinned,omitempty"`
}

// An Output is a published file.
type Output struct {
	Kind   string `json:"kind"` // one of outputKinds: btf, base and so on, as in the manifest
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"` // as stored
	SHA256 string `json:"sha256,omitempty"`
}

// A Drop counts symbols that were left out for one reason.
type Drop struct {
	What   string `json:"what"` // "func", "var"
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// A Verification is the verdict of one kernel generation on the BTF.
type Verification struct {
	Kernel   string   `json:"kernel"`
	For      []string `json:"for,omitempty"` // the releases that were asked for and are judged as this one
	Accepted bool     `json:"accepted"`
	Required bool     `json:"required"`          // a refusal fails the image; otherwise it is only reported
	Problem  string   `json:"problem,omitempty"` // what the kernel would log
}

// A Warning is what one rule found.
type Warning struct {
	Rule     string   `json:"rule"`
	Count    int      `json:"count"`
	Examples []string `json:"examples"` // the first of them
}

// Good reports whether nothing is wrong with the image.
func (row Row) Good() bool {
	row.Dropped = nil // settle would sort what the copy shares
	row.settle()
	return row.Status == OK
}

// settle derives the status from the content of the row; the worst counts. It completes failure and error.
func (row *Row) settle() {
	slices.SortStableFunc(row.Dropped, func(a, b Drop) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Reason, b.Reason))
	})
	if row.Error == "" && row.Interrupted {
		row.Status, row.Failure = Interrupted, Cancelled
		return
	}
	if row.Error == "" && row.SkipReason != "" {
		row.Status, row.Failure = Skipped, LeftOut
		return
	}
	for _, v := range row.Verify {
		if v.Required && !v.Accepted && row.Error == "" {
			row.Error, row.Failure = fmt.Sprintf("kernel %s refuses it: %s", v.Kernel, v.Problem), Refused
		}
	}
	if row.Types == 0 && !row.Split && row.Error == "" {
		row.Error, row.Failure = "there are no types", NoTypes
	}
	switch g := row.Golden; {
	case row.Error != "":
		row.Status, row.Failure = Failed, cmp.Or(row.Failure, Other)
	case g != nil && g.Verdict == golden.Missing:
		row.Status, row.Failure = Differs, NoGolden
	case g != nil && !g.Verdict.OK():
		row.Status, row.Failure = Differs, Different
	default:
		row.Status, row.Failure = OK, ""
	}
}

// valid replaces bytes that are not UTF-8, which JSON cannot have, by their escape sequences in the texts that identify things: names,
// paths and errors. Therefore a report that was stored and read again is the same.
func (row *Row) valid() {
	for _, s := range []*string{&row.Name, &row.Error, &row.Manifest, &row.Path, &row.Base} {
		*s = escape.UTF8(*s)
	}
	for i := range row.Outputs {
		row.Outputs[i].Path = escape.UTF8(row.Outputs[i].Path)
	}
	for i := range row.Published {
		row.Published[i].To = escape.UTF8(row.Published[i].To)
	}
	if row.Golden != nil {
		row.Golden.Path = escape.UTF8(row.Golden.Path)
	}
	row.Series = row.Series.with(escape.UTF8)
}

// shown is the row with everything that comes from outside escaped for a terminal, except for the diff, which is long and rarely shown.
func (row Row) shown() Row {
	row.Name, row.Error, row.SkipReason = escape.Line(row.Name), escape.Line(row.Error), escape.Line(row.SkipReason)
	if row.Golden != nil {
		g := *row.Golden
		g.Path, g.Summary = escape.Line(g.Path), escape.Line(g.Summary)
		row.Golden = &g
	}
	row.Series = row.Series.with(escape.Line)
	if row.Source != nil {
		s := *row.Source
		s.URL, s.Package, s.Version, s.Member = escape.Line(s.URL), escape.Line(s.Package), escape.Line(s.Version), escape.Line(s.Member)
		row.Source = &s
	}
	row.Verify, row.Warnings, row.Dropped = slices.Clone(row.Verify), slices.Clone(row.Warnings), slices.Clone(row.Dropped)
	for i := range row.Verify {
		v := &row.Verify[i]
		v.Kernel, v.Problem = escape.Line(v.Kernel), escape.Line(v.Problem)
	}
	for i := range row.Dropped {
		d := &row.Dropped[i]
		d.What, d.Reason = escape.Line(d.What), escape.Line(d.Reason)
	}
	for i := range row.Warnings {
		w := &row.Warnings[i]
		w.Rule, w.Examples = escape.Line(w.Rule), slices.Clone(w.Examples)
		for j := range w.Examples {
			w.Examples[j] = escape.Line(w.Examples[j])
		}
	}
	return row
}

// LeftOut counts the symbols that were left out on purpose.
func (row *Row) LeftOut() int {
	n := 0
	for _, d := range row.Dropped {
		n += d.Count
	}
	return n
}

// Accepting counts the kernel generations that accept the BTF.
func (row *Row) Accepting() int {
	n := 0
	for _, v := range row.Verify {
		if v.Accepted {
			n++
		}
	}
	return n
}
