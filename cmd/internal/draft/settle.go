package draft

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/btfbatch/btfbatch/config"
)

// settle sorts the images, kernels first, and finds their names, bases and goldens.
func (d *Draft) settle() {
	rank := map[config.Kind]int{config.Kernel: 0, "": 1, config.Module: 2}
	slices.SortStableFunc(d.images, func(a, b image) int {
		if n := rank[a.kind] - rank[b.kind]; n != 0 {
			return n
		}
		return strings.Compare(a.rel, b.rel)
	})
	stems := map[string]int{}
	for i := range d.images {
		stems[d.images[i].stem()]++
	}
	taken := map[string]bool{}
	for i := range d.images {
		im := &d.images[i]
		im.name = nameOf(im, stems)
		for n := 2; taken[im.name]; n++ {
			im.name = fmt.Sprintf("%s-%d", nameOf(im, stems), n)
		}
		taken[im.name] = true
	}
	for i := range d.images {
		if im := &d.images[i]; im.kind == config.Module {
			im.base = d.kernelOf(im)
		}
		d.images[i].golden = d.goldenOf(&d.images[i])
	}
}

// stem is what an image is called if no other one is called so: by its release if it is the kernel of a package, or else by its file.
func (im *image) stem() string {
	if im.pkg != "" && im.release != "" {
		return im.release
	}
	return config.FileStem(im.rel)
}

// nameOf is the stem of the image, or the path of its file if several images have that stem. Characters that names cannot have are replaced.
func nameOf(im *image, stems map[string]int) string {
	name := im.stem()
	if stems[name] > 1 {
		name = path.Join(path.Dir(im.rel), config.FileStem(im.rel))
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." || part == "." || part == "" {
			continue
		}
		part = strings.Map(func(r rune) rune {
			if r == '\\' || r == '$' || r == ' ' || r == unicode.ReplacementChar || !unicode.IsPrint(r) {
				return '_'
			}
			return r
		}, part)
		if part[0] == '.' {
			part = "_" + part
		}
		parts = append(parts, part)
	}
	name = strings.Join(parts, "/")
	if len(name) > 200 { // the limit is 255 bytes
		name = strings.ToValidUTF8(name[len(name)-200:], "_")
		name = strings.TrimLeft(name, "/.")
	}
	return name
}

// kernelOf is the name of the kernel that a module is for, or "" if there is none, or more than one.
func (d *Draft) kernelOf(m *image) string {
	found := ""
	for i := range d.images {
		k := &d.images[i]
		if k.kind != config.Kernel || k.arch != m.arch || k.release != m.release || k.release == "" {
			continue
		}
		if found != "" {
			return ""
		}
		found = k.name
	}
	return found
}

// goldenOf is the golden with the name of an image: in its folder, or else the only one elsewhere.
func (d *Draft) goldenOf(im *image) string {
	var beside, elsewhere []string
	for _, g := range d.goldens {
		stem, _ := stemOfGolden(g)
		if stem != config.FileStem(im.rel) && stem != path.Base(im.rel) && stem != path.Base(im.name) {
			continue
		}
		if filepath.Dir(g) == filepath.Dir(im.path) {
			beside = append(beside, g)
		} else {
			elsewhere = append(elsewhere, g)
		}
	}
	list := beside
	if len(list) == 0 {
		list = elsewhere
	}
	if len(list) != 1 {
		return ""
	}
	if rel := d.rel(list[0]); !strings.Contains(rel, "${{") {
		return rel
	}
	return ""
}

// fewest is the number of modules that are worth a glob.
const fewest = 4

// A tree is a folder whose modules all belong to one kernel, so that one element of images stands for them.
type tree struct {
	dir   string // relative to the manifest; "." for its folder
	glob  string
	first *image
	count int
}

// trees finds the modules that a glob can name: all files of one extension below a folder, with different names and without goldens. It
// returns them, and the images that are left.
func (d *Draft) trees() (trees []tree, left []*image) {
	type key struct{ base, arch, release, ext string }
	groups := map[key][]*image{}
	var order []key
	for i := range d.images {
		im := &d.images[i]
		ext := moduleExtension(im.rel)
		if im.kind != config.Module || ext == "" || im.golden != "" {
			left = append(left, im)
			continue
		}
		k := key{im.base, im.arch, im.release, ext}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], im)
	}
	for _, k := range order {
		if t, ok := d.tree(groups[k], k.ext); ok {
			trees = append(trees, t)
		} else {
			left = append(left, groups[k]...)
		}
	}
	return trees, left
}

func moduleExtension(name string) string {
	i := slices.IndexFunc(moduleExtensions, func(ext string) bool { return strings.HasSuffix(name, ext) })
	if i < 0 {
		return ""
	}
	return moduleExtensions[i]
}

// tree is the tree of a group of modules, if it has no other files of this extension.
func (d *Draft) tree(group []*image, ext string) (tree, bool) {
	if len(group) < fewest {
		return tree{}, false
	}
	dir := path.Dir(group[0].rel)
	names := map[string]bool{}
	for _, im := range group {
		for dir != "." && !strings.HasPrefix(im.rel, dir+"/") {
			dir = path.Dir(dir)
		}
		names[config.FileStem(im.rel)] = true
	}
	if len(names) < len(group) || dir == "/" || strings.HasPrefix(path.Base(dir), "..") {
		return tree{}, false
	}
	others := 0
	for _, m := range d.modules {
		if rel := d.rel(m); strings.HasSuffix(rel, ext) && (dir == "." || strings.HasPrefix(rel, dir+"/")) {
			others++
		}
	}
	if others != len(group) {
		return tree{}, false
	}
	return tree{dir: dir, glob: path.Join(dir, "**", "*"+ext), first: group[0], count: len(group)}, true
}
