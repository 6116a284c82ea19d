package batch

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/btfbatch/btfbatch/cmd/internal/goldens"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
)

// A use is a path of a job, and the key of the manifest that it comes from.
type use struct {
	paths.Use
	job int
	key string
}

// uses lists the paths that a run of the jobs reads and writes.
func uses(jobs []Job, opt *Options) []use {
	var list []use
	add := func(i int, key, path string, role paths.Role, what, note string) {
		if path != "" && !config.Open(path) {
			list = append(list, use{paths.Use{Path: path, Role: role, What: fmt.Sprintf(what+" of %q", jobs[i].Name), Note: note}, i, key})
		}
	}
	proposed := map[string]bool{}
	golden := paths.Golden
	if opt.Goldens.Update {
		golden = paths.Update
	}
	for i := range jobs {
		j := &jobs[i]
		add(i, "path", j.File.Path, paths.Input, "the path", "")
		add(i, "base_path", j.BaseFile, paths.Input, "the base_path", "")
		add(i, "golden", j.Golden, golden, "the golden", "")
		if opt.Goldens.New != "" && j.Golden != "" {
			if place, err := goldens.Place(opt.Goldens.New, opt.Goldens.Dir, j.Golden); err == nil && !proposed[place] {
				proposed[place] = true
				add(i, "golden", place, paths.Output, "the new golden", "")
			}
		}
		if file := opt.Lint.earlier(j.Name); file != "" && !paths.Same(file, j.Outputs.BTF) { // its own is read before it is replaced
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
	}
	return list
}

// RejectedUse is what a run does with the place where it keeps a refused output.
func RejectedUse(path, what string, opt *Options) paths.Use {
	u := paths.Use{Path: Rejected(path), Role: paths.Remove, What: "the refused " + what}
	u.Note = fmt.Sprintf("when it is refused it is kept as %s, which ", filepath.Base(u.Path))
	if opt.Outputs.KeepRejected {
		u.Role = paths.Output
	}
	return u
}

// written lists the files that a run of the jobs may make or replace.
func written(jobs []Job, opt *Options) []string {
	var list []string
	for _, u := range uses(jobs, opt) {
		if u.Role == paths.Output || u.Role == paths.Update || u.Role == paths.Remove {
			list = append(list, u.Path)
		}
	}
	return list
}

// CheckPaths looks for paths that a run of a manifest's items must not have together, whatever spellings and links lead to the files:
// what is written twice, or written and read. others are the files of the command line. What is wrong is a *config.Problems with its
// places in the manifest.
//
// A path of one image that cannot be written by itself, as where a folder has its name, fails this image alone.
func CheckPaths(manifest string, items []corpus.Item, opt *Options, others ...paths.Use) error {
	list := uses(Jobs(items, ""), opt)
	var all []paths.Use
	for _, u := range list {
		all = append(all, u.Use)
	}
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
		} else if it.Err == nil {
			it.Err = fmt.Errorf("%s: %s", u.key, c.Message)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return config.NewProblems(problems)
}

// CheckEarlier finds out whether there is anything to compare with: a folder, with the BTF of one image at least.
func CheckEarlier(jobs []Job, l *Lint) error {
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
	for i := range jobs {
		if l.earlier(jobs[i].Name) != "" {
			return nil
		}
	}
	return fmt.Errorf("--earlier: %s has the BTF of none of the images, NAME.btf", l.Earlier)
}
