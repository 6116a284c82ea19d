package batch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/goldens"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A use is the job, and the key of the manifest, that a path comes from.
type use struct {
	job int
	key string
}

// uses lists the paths that a run of the jobs reads and writes, and where each comes from.
func uses(n int, job func(i int) *Job, opt *Options) (list []paths.Use, from []use) {
	name := ""
	add := func(i int, key, path string, role paths.Role, what, note string) {
		if path != "" && !config.Open(path) {
			list = append(list, paths.Use{Path: path, Role: role, What: fmt.Sprintf("%s of %q", what, name), Note: note})
			from = append(from, use{i, key})
		}
	}
	proposed := map[string]bool{}
	golden := paths.Golden
	if opt.Goldens.Update {
		golden = paths.Update
	}
	for i := range n {
		j := job(i)
		name = j.Name
		published := publishedFiles(j)
		add(i, "path", j.File.Path, paths.Input, "the path", "")
		add(i, "from", j.File.Origin.Path, paths.Input, "the package", "")
		add(i, "base_path", j.BaseFile, paths.Input, "the base_path", "")
		add(i, "golden", j.Golden, golden, "the golden", "")
		if opt.Goldens.New != "" && j.Golden != "" {
			if place, err := goldens.Place(opt.Goldens.New, opt.Goldens.Dir, j.Golden); err == nil && !proposed[place] {
				proposed[place] = true
				add(i, "golden", place, paths.Output, "the new golden", "")
			}
		}
		file := opt.Lint.earlier(j.Name)
		own := func(path string) bool { return paths.Same(file, path) } // the image's own BTF is read before it is replaced
		if file != "" && !own(j.Outputs.BTF) && !slices.ContainsFunc(published, own) {
			add(i, "", file, paths.Input, "the earlier BTF", "")
		}
		for _, o := range j.Outputs.List() {
			add(i, o.Key, o.Path, paths.Output, o.Key, "")
			if !rejectable(o.Key) {
				continue
			}
			r := RejectedUse(o.Path, o.Key, opt)
			add(i, o.Key, r.Path, r.Role, r.What, r.Note)
		}
		for _, path := range published {
			file := filepath.Base(path)
			add(i, config.KeyPublish, path, paths.Publish, "the published "+file, "puts "+file+" there, which ")
		}
	}
	return list, from
}

// RejectedUse returns how a run uses the path under which it keeps a refused output.
func RejectedUse(path, what string, opt *Options) paths.Use {
	u := paths.Use{Path: Rejected(path), Role: paths.Remove, What: "the refused " + what}
	u.Note = fmt.Sprintf("if it is refused, it is kept as %s, which ", filepath.Base(u.Path))
	if opt.Outputs.KeepRejected {
		u.Role = paths.Output
	}
	return u
}

// Written lists the files that a run of the jobs may create or replace, except those that it publishes: stores have a protection of their own.
func Written(jobs []Job, opt *Options) []string {
	var list []string
	all, _ := uses(len(jobs), func(i int) *Job { return &jobs[i] }, opt)
	for _, u := range all {
		if u.Role == paths.Output || u.Role == paths.Update || u.Role == paths.Remove {
			list = append(list, u.Path)
		}
	}
	return list
}

// CheckPaths finds conflicts between the paths of a manifest's items: a file that is written twice, or both written and read. It recognises
// a file under different spellings and through links. others are the files of the command line. The error is a *config.Problems with the
// places in the manifest.
//
// A path that cannot be written for a reason of its own, for example because it is a folder, fails only its image.
func CheckPaths(manifest string, items []corpus.Item, opt *Options, others ...paths.Use) error {
	all, list := uses(len(items), func(i int) *Job { // all jobs of a large batch would take much memory
		it := &items[i]
		return &Job{Name: it.Image.Label(), File: it.File, Outputs: it.Image.Outputs, Publish: it.Image.Publish, Golden: it.Image.Golden, BaseFile: it.BaseFile}
	}, opt)
	all = append(append(all, paths.Use{Path: manifest, Role: paths.Input, What: "the manifest"}), others...)
	var problems []config.Problem
	for _, c := range paths.Check(all) {
		if c.Use >= len(list) {
			problems = append(problems, config.Problem{Path: all[c.Use].What, Message: c.Message})
			continue
		}
		u := list[c.Use]
		if it := &items[u.job]; !c.Alone {
			problems = append(problems, it.Image.Problem(manifest, u.key, c.Message))
		} else if it.Err == nil && u.key != config.KeyPublish { // without --publish, nothing is put there
			kind := report.GoldenBad
			if strings.HasPrefix(u.key, "outputs.") || u.key == config.KeyEvidence {
				kind = report.Write
			}
			it.Err = as(kind, fmt.Errorf("%s: %s", u.key, c.Message))
		}
	}
	problems = append(problems, goldenForms(manifest, items)...)
	problems = append(problems, publishConflicts(manifest, items)...)
	if len(problems) == 0 {
		return nil
	}
	return config.NewProblems(problems)
}

// goldenForms finds goldens that cannot suit all images that share them, because the policies of the images want different forms of file.
func goldenForms(manifest string, items []corpus.Item) (problems []config.Problem) {
	first := map[string]*config.Image{}
	for i := range items {
		im := &items[i].Image
		if im.Golden == "" || config.Open(im.Golden) {
			continue
		}
		key := paths.Key(im.Golden)
		if first[key] == nil {
			first[key] = im
		} else if other := first[key]; goldenForm(&other.Check) != goldenForm(&im.Check) {
			problems = append(problems, im.Problem(manifest, "golden", fmt.Sprintf("is %s here, and %[3]s for %[2]q; give each image its own golden",
				goldenForm(&im.Check), other.Label(), goldenForm(&other.Check))))
		}
	}
	return problems
}

// goldenForm says what kind of file a golden is.
func goldenForm(c *config.Check) string {
	switch c.Policy {
	case config.Digest:
		return "a file of sums"
	case config.Selected:
		return "the declarations " + strings.Join(c.Select, ", ")
	}
	return "a raw dump"
}

// CheckEarlier returns an error if there is nothing to compare with: no folder, or no BTF of any of the images in it. If the jobs are one shard of a
// batch, the folder may have only the BTF of others.
func CheckEarlier(jobs []Job, l *Lint, sharded bool) error {
	if l.Earlier == "" {
		return nil
	}
	st, err := os.Stat(l.Earlier)
	switch {
	case err != nil:
		return fmt.Errorf("--earlier: %w", err)
	case !st.IsDir():
		return fmt.Errorf("--earlier: %s is not a folder", l.Earlier)
	}
	if sharded || slices.ContainsFunc(jobs, func(j Job) bool { return l.earlier(j.Name) != "" }) {
		return nil
	}
	return fmt.Errorf("--earlier: %s contains no NAME.btf for any of the images", l.Earlier)
}
