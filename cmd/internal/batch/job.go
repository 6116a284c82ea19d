package batch

import (
	"cmp"
	"slices"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/cmd/internal/settings/ofimage"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A Job is one image to encode: its file, its settings and its outputs. A manifest becomes a list of jobs. A command for a single image
// creates one job from its flags.
type Job struct {
	Name     string // of its row
	File     corpus.File
	Settings settings.Settings
	Outputs  config.Outputs
	Publish  []config.Publish // where the outputs are published; see Options.Publish
	Golden   string           // expected raw dump, or file of sums; may be empty
	Check    config.Check

	Base     int    // index of the job whose BTF is its base, which comes before it; -1: none
	BaseFile string // the file to read the base from instead; may be empty
	// OpenBase opens BaseFile, which need not be a path then: it may name a file in a package. Nil stands for a path.
	OpenBase   btffile.Opener
	BaseSHA256 string // digest that BaseFile must have; may be empty

	PackageSHA256 string // digest that the manifest has for the package of the image; may be empty

	Series     string  // the name of its series; may be empty
	SeriesLoss float64 // the share of what the image before it has that may be missing

	Err error // why the image cannot be encoded; nil if nothing is known

	Line     int    // in the manifest, from 1; 0 without a manifest
	Manifest string // the included manifest, or the list, that Line is a line of; empty for the manifest of the run
	Order    int    // in the manifest, by which rows are sorted
}

// Jobs returns the jobs of a manifest. If profile is not empty, it replaces the profile of every image.
func Jobs(items []corpus.Item, profile config.Profile) []Job {
	jobs := make([]Job, len(items))
	for i := range items {
		it := &items[i]
		im := &it.Image
		jobs[i] = Job{Name: im.Label(), File: it.File, Outputs: im.Outputs, Publish: im.Publish, Golden: im.Golden, Check: im.Check, Base: it.Base,
			BaseFile: it.BaseFile, BaseSHA256: im.BaseSHA256, Err: fromItems(items, i), Line: im.Line, Manifest: im.Included(), Order: im.Order,
			Series: im.Series, SeriesLoss: im.SeriesLoss}
		if im.From != nil {
			jobs[i].PackageSHA256 = im.From.SHA256
		}
		var err error
		if jobs[i].Settings, err = ofimage.Settings(im, profile); jobs[i].Err == nil {
			jobs[i].Err = as(report.Settings, err)
		}
	}
	return jobs
}

// row returns a row that says which image it is about.
func (j *Job) row() report.Row {
	row := report.Row{Name: j.Name, Line: j.Line, Manifest: j.Manifest, Path: j.File.Path}
	if j.Series != "" {
		row.Series = &report.Series{Name: j.Series}
	}
	return row
}

// names lists the names of the jobs in the order of the manifest. The order of the jobs may differ from it, because bases come first.
func names(jobs []Job) []string {
	order := make([]*Job, len(jobs))
	for i := range jobs {
		order[i] = &jobs[i]
	}
	slices.SortStableFunc(order, func(a, b *Job) int { return cmp.Compare(a.Order, b.Order) })
	list := make([]string, len(order))
	for i, j := range order {
		list[i] = j.Name
	}
	return list
}
