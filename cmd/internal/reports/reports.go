// Package reports writes a report in the formats, and to the files, that the command line asks for.
//
// Input: words such as text or junit=FILE, and a report. Output: the written report. Never: the package does not interpret a report.
package reports

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/html"
)

// A form is a format of a report.
type form struct {
	name  string
	write func(*report.Report, io.Writer) error
	sums  bool // contains the digests of files, and details of images
}

// forms are the formats of a report.
var forms = []form{
	{"text", (*report.Report).WriteText, false},
	{"json", (*report.Report).WriteJSON, true},
	{"junit", (*report.Report).WriteJUnit, false},
	{"markdown", (*report.Report).WriteMarkdown, false},
	{"html", func(r *report.Report, w io.Writer) error { return html.Write(w, r) }, true},
}

// formNamed returns the format of a name.
func formNamed(name string) (*form, error) {
	var names []string
	for i := range forms {
		if forms[i].name == name {
			return &forms[i], nil
		}
		names = append(names, forms[i].name)
	}
	return nil, fmt.Errorf("unknown report format %q: use %s", name, strings.Join(names, ", "))
}

// As returns the function that writes a report in a format.
func As(format string) (func(*report.Report, io.Writer) error, error) {
	f, err := formNamed(format)
	if err != nil {
		return nil, err
	}
	return f.write, nil
}

// Load reads a report that was stored as JSON. The error names the file.
func Load(path string) (*report.Report, error) {
	s, err := input.OpenText(path, input.Report)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r, err := report.Read(s)
	return r, input.Named(path, err)
}

// Expand replaces folders by the reports in them, *.json, in the order of their names. Other paths stay as they are.
func Expand(places []string) (files []string, err error) {
	for _, path := range places {
		if st, err := os.Stat(path); err != nil || !st.IsDir() {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if name := e.Name(); filepath.Ext(name) == ".json" && !strings.HasPrefix(name, ".") {
				files = append(files, filepath.Join(path, name))
			}
		}
	}
	return files, nil
}

// An Outlet is a format of a report and the file that it is written to, or the standard output if it has no file.
type Outlet struct {
	word   string // as on the command line
	file   string
	append bool
	write  func(*report.Report, io.Writer) error
	sums   bool
}

// Sums reports whether an outlet contains the digests of files, and details of images (report.Details). Computing the digests takes about
// half as long as encoding.
func Sums(outlets []Outlet) bool {
	return slices.ContainsFunc(outlets, func(o Outlet) bool { return o.sums })
}

// Parse reads the values of --report: FORMAT or FORMAT=FILE.
func Parse(words []string) ([]Outlet, error) {
	var list []Outlet
	var files []string
	for _, w := range words {
		format, file, hasFile := strings.Cut(w, "=")
		o := Outlet{word: w, file: file}
		f, err := formNamed(format)
		if err != nil {
			return nil, err
		}
		o.write, o.sums = f.write, f.sums
		switch {
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

// Shown adds the text on the standard output to a list of reports that all go to files, if the standard output is a terminal: whoever looks at it
// expects to see what happened.
func Shown(outlets []Outlet, terminal bool) []Outlet {
	if !terminal || slices.ContainsFunc(outlets, func(o Outlet) bool { return o.file == "" }) {
		return outlets
	}
	return append(outlets, Outlet{word: forms[0].name, write: forms[0].write, sums: forms[0].sums})
}

// Files returns the files that the outlets write to.
func Files(outlets []Outlet) []paths.Use {
	var list []paths.Use
	for _, o := range outlets {
		switch {
		case o.file == "":
		case o.append:
			list = append(list, paths.Use{Path: o.file, Role: paths.Append, What: o.word})
		default:
			list = append(list, paths.Use{Path: o.file, Role: paths.Output, What: "--report " + o.word})
		}
	}
	return list
}

// Write writes a report to all outlets, even if some of them fail.
func Write(r *report.Report, outlets []Outlet, stdout io.Writer) error {
	var p publish.Publisher
	var errs []error
	for _, o := range outlets {
		var err error
		wide := *r
		wide.Width = 0 // nothing bounds the lines of a file
		switch {
		case o.file == "":
			err = o.write(r, stdout)
		case o.append:
			err = toEnd(&wide, o)
		default:
			err = toFile(&p, &wide, o)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("report: %w", err))
		}
	}
	return errors.Join(errs...)
}

// Remove removes the reports of an earlier attempt, which say nothing about the one that begins. What is no regular file stays.
func Remove(outlets []Outlet) error {
	for _, o := range outlets {
		if o.file == "" || o.append {
			continue
		}
		if st, err := os.Lstat(o.file); err != nil || !st.Mode().IsRegular() {
			continue
		}
		if err := os.Remove(o.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("report: %w", err)
		}
	}
	return nil
}

func toFile(p *publish.Publisher, r *report.Report, o Outlet) error {
	return p.File(o.file, func(w io.Writer) error { return o.write(r, w) })
}
