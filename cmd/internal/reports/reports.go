// Package reports knows the forms of a report, and where each of them goes.
//
// In come words such as text or junit=FILE; out comes a written report. It never looks into one.
package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/golden/report"
)

// forms are the ways to write a report.
var forms = []struct {
	name  string
	write func(*report.Report, io.Writer) error
	sums  bool // shows the sums of files
}{
	{"text", (*report.Report).WriteText, false},
	{"json", (*report.Report).WriteJSON, true},
	{"junit", (*report.Report).WriteJUnit, false},
	{"markdown", (*report.Report).WriteMarkdown, false},
}

// An Outlet is one form of a report and its file; without a file it goes to the standard output.
type Outlet struct {
	file   string
	append bool
	write  func(*report.Report, io.Writer) error
	sums   bool
}

// Sums tells whether an outlet shows the sums of files, which take as long as half of an encoding.
func Sums(outlets []Outlet) bool {
	return slices.ContainsFunc(outlets, func(o Outlet) bool { return o.sums })
}

// Parse reads the words of --report, FORMAT or FORMAT=FILE.
func Parse(words []string) ([]Outlet, error) {
	var list []Outlet
	var files []string
	for _, w := range words {
		format, file, hasFile := strings.Cut(w, "=")
		o := Outlet{file: file}
		var names []string
		for _, f := range forms {
			names = append(names, f.name)
			if f.name == format {
				o.write, o.sums = f.write, f.sums
			}
		}
		switch {
		case o.write == nil:
			return nil, fmt.Errorf("report %q is none of %s", format, strings.Join(names, ", "))
		case hasFile && file == "":
			return nil, fmt.Errorf("report %q names no file", w)
		case slices.Contains(files, file) && hasFile:
			return nil, fmt.Errorf("two reports go to %s", file)
		case slices.Contains(files, file):
			return nil, fmt.Errorf("two reports go to the standard output")
		}
		files = append(files, file)
		list = append(list, o)
	}
	return list, nil
}

// Write writes a report to all outlets.
func Write(r *report.Report, outlets []Outlet, stdout io.Writer) error {
	var p publish.Publisher
	for _, o := range outlets {
		if o.file == "" {
			if err := o.write(r, stdout); err != nil {
				return fmt.Errorf("report: %w", err)
			}
			continue
		}
		to := toFile
		if o.append {
			to = toEnd
		}
		if err := to(&p, r, o); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

func toFile(p *publish.Publisher, r *report.Report, o Outlet) error {
	return p.File(o.file, func(w io.Writer) error { return o.write(r, w) })
}
