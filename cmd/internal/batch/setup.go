package batch

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Setup returns the settings of all images after defaults, matrix and globs were expanded. Settings that all images have are listed once.
// If profile is not empty, it replaces the profile of every image.
func Setup(items []corpus.Item, profile config.Profile) (s report.Setup) {
	all := make([][]report.Setting, len(items))
	count := map[report.Setting]int{}
	for i := range items {
		all[i] = settingsOf(&items[i].Image, profile)
		for _, x := range all[i] {
			count[x]++
		}
	}
	for i := range items {
		im := report.ImageSetup{Name: items[i].Image.Label()}
		for _, x := range all[i] {
			if len(items) == 1 || count[x] < len(items) {
				im.Settings = append(im.Settings, x)
			} else if i == 0 {
				s.Common = append(s.Common, x)
			}
		}
		s.Images = append(s.Images, im)
	}
	return s
}

// settingsOf lists the keys of an image in the order of the documentation, each once and without those that have no value.
func settingsOf(im *config.Image, profile config.Profile) (list []report.Setting) {
	add := func(key, value string) {
		if value != "" {
			list = append(list, report.Setting{Key: key, Value: value})
		}
	}
	add("path", im.Path)
	if f := im.From; f != nil {
		add("from."+f.Kind, cmp.Or(config.PublicURL(f.Where), strings.Join([]string{f.Apt.Suite, f.Apt.Arch, f.Apt.Package}, " ")))
		add("from.apt.mirror", config.PublicURL(f.Apt.Mirror))
		add("from.member", f.Member)
		add("from.sha256", f.SHA256)
	}
	add("arch", im.Arch)
	add("kind", string(im.Kind))
	add("release", im.Release)
	add("sha256", im.SHA256)
	add("build_id", im.BuildID)
	add("profile", string(cmp.Or(profile, im.Profile)))
	features := "default"
	if im.FeaturesGiven {
		features = strings.Join(im.Features.Names(), ", ")
	}
	add("features", features)
	add("lang_exclude", strings.Join(im.LangExclude, ", "))
	for _, r := range im.Sections {
		add("sections: "+r.Section, sectionRule(&r))
	}
	add("sort_by_name", yes(im.SortByName))
	add("kernel", yes(im.LikeKernel))
	add("verify", strings.Join(im.Verify, ", "))
	for _, o := range im.Outputs.List() {
		add(o.Key, o.Path)
	}
	add("golden", im.Golden)
	add("golden.policy", string(im.Check.Policy))
	add("golden.select", strings.Join(im.Check.Select, ", "))
	for _, a := range im.Check.Allow {
		add("golden.allow: "+a.Rule, cmp.Or(strings.Join(a.Names, ", "), "all"))
	}
	add("base", im.Base)
	add("base_path", im.BasePath)
	add("base_sha256", im.BaseSHA256)
	return list
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// sectionRule spells a section rule in the words of the manifest.
func sectionRule(r *config.SectionRule) string {
	var words []string
	for _, x := range []struct {
		on   bool
		word string
	}{{r.Exclude.ZeroAddress, "zero-address"}, {r.Exclude.NonAllocated, "non-allocated"}, {r.Exclude.Unnamed, "unnamed"}} {
		if x.on {
			words = append(words, x.word)
		}
	}
	words = append(words, r.Exclude.Symbols...)
	return fmt.Sprintf("exclude [%s], datasec %t, unique %t", strings.Join(words, ", "), r.DataSec, r.Unique)
}
