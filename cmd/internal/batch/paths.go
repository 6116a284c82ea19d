package batch

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
)

// A use is a path of an image, and the key it comes from.
type use struct {
	paths.Use
	item int
	key  string
}

// uses lists the paths that a run of the items reads and writes.
func uses(items []corpus.Item, opt *Options) []use {
	var list []use
	add := func(i int, key, path string, role paths.Role, what, note string) {
		if path != "" && !config.Open(path) {
			list = append(list, use{paths.Use{Path: path, Role: role, What: fmt.Sprintf(what+" of %q", items[i].Image.Label()), Note: note}, i, key})
		}
	}
	golden := paths.Golden
	if opt.Update {
		golden = paths.Update
	}
	for i := range items {
		im := &items[i].Image
		if im.Glob == "" {
			add(i, "path", im.Path, paths.Input, "the path", "")
		}
		add(i, "base_path", im.BasePath, paths.Input, "the base_path", "")
		add(i, "golden", im.Golden, golden, "the golden", "")
		if file := earlier(opt, im); file != "" && !paths.Same(file, im.Outputs.BTF) { // its own is read before it is replaced
			add(i, "", file, paths.Input, "the earlier BTF", "")
		}
		for _, o := range im.Outputs.List() {
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
	if opt.KeepRejected {
		u.Role = paths.Output
	}
	return u
}

// written lists the files that a run of the items may make or replace.
func written(items []corpus.Item, opt *Options) []string {
	var list []string
	for _, u := range uses(items, opt) {
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
	list := uses(items, opt)
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
		if it := &items[u.item]; !c.Alone {
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
func CheckEarlier(items []corpus.Item, opt *Options) error {
	if opt.Earlier == "" {
		return nil
	}
	st, err := os.Stat(opt.Earlier)
	switch {
	case err != nil:
		return fmt.Errorf("--earlier: %w", err)
	case !st.IsDir():
		return fmt.Errorf("--earlier: %s is not a folder", opt.Earlier)
	}
	for i := range items {
		if earlier(opt, &items[i].Image) != "" {
			return nil
		}
	}
	return fmt.Errorf("--earlier: %s has the BTF of none of the images, NAME.btf", opt.Earlier)
}
