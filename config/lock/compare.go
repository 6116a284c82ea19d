package lock

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Difference says how two locks differ.
type Difference struct {
	Added   []string `json:"added"`   // names of images, in their order
	Removed []string `json:"removed"` // names of images, in their order
	Changed []Change `json:"changed"` // in the order of names
}

// None reports whether there is no difference.
func (d *Difference) None() bool { return len(d.Added)+len(d.Removed)+len(d.Changed) == 0 }

// A Change says how an image differs.
type Change struct {
	Name   string  `json:"name"`
	Fields []Field `json:"fields"`
}

// A Field is a value that differs. An empty value says nothing.
type Field struct {
	Key string `json:"key"` // as in the lock
	Old string `json:"old"`
	New string `json:"new"`
}

// Compare compares two locks image by image. What a source has is compared with each image that is from it.
func Compare(old, now *File) (d Difference) {
	d = Difference{Added: []string{}, Removed: []string{}, Changed: []Change{}}
	for i := range old.Images {
		was := &old.Images[i]
		is := now.Image(was.Name)
		if is == nil {
			d.Removed = append(d.Removed, was.Name)
			continue
		}
		if fields := fieldsOf(old, was, now, is); len(fields) > 0 {
			d.Changed = append(d.Changed, Change{was.Name, fields})
		}
	}
	for i := range now.Images {
		if name := now.Images[i].Name; old.Image(name) == nil {
			d.Added = append(d.Added, name)
		}
	}
	return d
}

// fieldsOf lists the values that differ, in the order in which people want to read them.
func fieldsOf(old *File, was *Image, now *File, is *Image) (list []Field) {
	a, b := old.bytesOf(was), now.bytesOf(is)
	for _, f := range []Field{
		{"path", was.Path, is.Path}, {"from", was.From, is.From}, {"package", a.Package, b.Package}, {"version", a.Version, b.Version},
		{"release", was.Release, is.Release}, {"arch", was.Arch, is.Arch}, {"member", was.Member, is.Member}, {"glob", was.Glob, is.Glob}, {"list", was.List, is.List},
		{"size", number(a.Size), number(b.Size)}, {"sha256", a.SHA256, b.SHA256}, {"build_id", was.BuildID, is.BuildID}, {"base", was.Base, is.Base},
		{"base_path", was.BasePath, is.BasePath}, {"base_sha256", was.BaseSHA256, is.BaseSHA256},
	} {
		if f.Old != f.New {
			list = append(list, f)
		}
	}
	return list
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// bytesOf returns what is stored: the source of an image, or its file.
func (f *File) bytesOf(im *Image) Source {
	if s := f.Source(im.From); s != nil {
		return *s
	}
	return Source{Size: im.Size, SHA256: im.SHA256}
}

// Lost lists the images of the old lock that a list of the manifest had and has no more, in the order of their names. A list is a glob of files, the files
// of a package, or images_from. A list that the manifest no longer has is not a loss. Neither is an image whose name the list still has for another file,
// nor the same file of another version of a package, whose path has another release.
func Lost(old, now *File) (names []string) {
	before, after := listsOf(old), listsOf(now)
	for key, was := range before {
		is, kept := after[key]
		if !kept {
			continue
		}
		oldNames, newNames := namesOf(was), namesOf(is)
		came := map[string]int{} // elements of new names that were not there, by role
		for element, m := range is {
			if was[element] == nil && len(m.beyond(oldNames)) > 0 {
				came[m.role]++
			}
		}
		for _, element := range slices.Sorted(maps.Keys(was)) {
			m := was[element]
			gone := m.beyond(newNames)
			if left := is[element]; left != nil {
				if strings.HasPrefix(key, rows) { // several rows can name one file
					names = append(names, gone[:min(len(gone), max(0, len(m.names)-len(left.names)))]...)
				}
				continue
			}
			if len(gone) > 0 && came[m.role] > 0 {
				came[m.role]--
				continue
			}
			names = append(names, gone...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A member is an element of a list. Several images can be the same element, for example with different profiles.
type member struct {
	role  string
	names []string
}

// beyond returns the names of a member that are not among others.
func (m *member) beyond(others map[string]bool) (names []string) {
	for _, name := range m.names {
		if !others[name] {
			names = append(names, name)
		}
	}
	return names
}

// namesOf returns the names of all images of a list.
func namesOf(list map[string]*member) map[string]bool {
	all := map[string]bool{}
	for _, m := range list {
		for _, name := range m.names {
			all[name] = true
		}
	}
	return all
}

// listsOf returns the members of all lists, by list and element.
func listsOf(f *File) map[string]map[string]*member {
	lists := map[string]map[string]*member{}
	for i := range f.Images {
		im := &f.Images[i]
		for _, p := range im.places() {
			if lists[p.list] == nil {
				lists[p.list] = map[string]*member{}
			}
			m := lists[p.list][p.element]
			if m == nil {
				m = &member{role: p.role}
				lists[p.list][p.element] = m
			}
			m.names = append(m.names, im.Name)
		}
	}
	return lists
}
