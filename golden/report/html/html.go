// Package html writes the report of a batch as one HTML page.
//
// Input: a report. Output: a file that needs no other file: it loads nothing, is readable without its script, on paper, and in light and dark
// surroundings. Never: the page contains text of an image, a manifest or an error as anything but text, and the package measures nothing.
package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the files of the page
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sync"

	"github.com/btfbatch/btfbatch/golden/report"
)

//go:embed page.tmpl
var pageText string

//go:embed style.css
var style string

//go:embed script.js
var script string

// pages returns the templates of the page. They are parsed when the first page is written: most calls of the program write none.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"thousands": thousands}).Parse(pageText))
})

// Bounds of the page, in bytes. Images are written in full until fullBudget is spent, those that are not ok first; then with less, until
// lessBudget is spent; others have only their line in the matrix.
const (
	fullBudget = 2 << 20
	lessBudget = 15 << 18
	maxRows    = 3000 // images in the matrix
	maxOpen    = 3    // images that are not folded
)

// A level says how much the page has of an image.
type level int

const (
	onlyRow level = iota
	less
	full
)

// Write writes the page.
func Write(w io.Writer, r *report.Report) error {
	b := builder{r: r, rows: r.Rows()}
	b.levels, b.place = make([]level, len(b.rows)), make([]int, len(b.rows))
	for i := range b.rows {
		b.order = append(b.order, i)
	}
	slices.SortStableFunc(b.order, func(x, y int) int { return badness(b.rows[x].Status) - badness(b.rows[y].Status) })
	for n, i := range b.order {
		b.place[i] = n
	}
	b.findings, b.byKey = gather(b.rows)
	images, err := b.images()
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := pages().ExecuteTemplate(&out, "page", b.page(images)); err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}

// badness orders statuses: what needs attention comes first.
func badness(s report.Status) int {
	return slices.Index([]report.Status{report.Failed, report.Differs, report.Interrupted, report.Skipped, report.OK}, s)
}

// A builder builds the page of a report.
type builder struct {
	r      *report.Report
	rows   []report.Row
	order  []int   // rows, those that are not ok first
	levels []level // by row
	place  []int   // by row: its place in order
	open   int     // images that are not folded

	findings []*finding
	byKey    map[string]*finding
}

// images writes the parts about single images, each with as much as there is room for.
func (b *builder) images() (template.HTML, error) {
	var out bytes.Buffer
	l := full
	for _, i := range b.order {
		for ; l > onlyRow; l-- { // once a budget is spent, no other image gets that much
			before := out.Len()
			if err := pages().ExecuteTemplate(&out, "image", b.image(i, l)); err != nil {
				return "", err
			}
			if out.Len() <= map[level]int{full: fullBudget, less: lessBudget}[l] {
				b.levels[i] = l
				break
			}
			out.Truncate(before)
		}
	}
	return template.HTML(out.String()), nil //nolint:gosec // written by the template
}

// ref links to the most that the page has about an image.
func (b *builder) ref(i int) imageRef {
	ref := imageRef{Name: name(b.rows[i].Name)}
	switch {
	case b.levels[i] > onlyRow:
		ref.Href = fmt.Sprintf("#i%d", i+1)
	case b.place[i] < maxRows:
		ref.Href = fmt.Sprintf("#m%d", i+1)
	}
	return ref
}

// scriptSum is the digest by which the page's own policy allows the script.
func scriptSum() string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
