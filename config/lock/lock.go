package lock

import (
	"cmp"
	"slices"
	"strings"
)

// Version is the only supported version of the format.
const Version = 1

// Suffix is what the path of a lock has after that of its manifest.
const Suffix = ".lock"

// A File is the contents of a lock.
type File struct {
	Version int `yaml:"version"`
	// Manifest is the SHA-256 of what the manifest said about its sources, in lower-case hex. If the manifest says something else, the lock is
	// older than the manifest.
	Manifest string   `yaml:"manifest"`
	Sources  []Source `yaml:"sources,omitempty"` // in the order of From
	Images   []Image  `yaml:"images"`            // in the order of Name
}

// A Source is a package, or a file on a server, that images come from. Several images can have the same one.
type Source struct {
	From    string `yaml:"from"`              // as the manifest names it: KIND=WHERE, without passwords; unique
	Package string `yaml:"package,omitempty"` // what the package says of itself, or the package that a meta package led to
	Version string `yaml:"version,omitempty"`
	Size    int64  `yaml:"size"`   // bytes as stored
	SHA256  string `yaml:"sha256"` // of the bytes as stored; all digests are in lower-case hex
}

// An Image is one image, after globs and matrices are expanded. Empty fields say nothing.
type Image struct {
	Name string `yaml:"name"` // unique
	// Path is that of the file, relative to the manifest, with slashes. For an absolute path it is the name of the file alone.
	Path   string `yaml:"path,omitempty"`
	From   string `yaml:"from,omitempty"`   // the Source, if the image is not at Path
	Glob   string `yaml:"glob,omitempty"`   // the pattern of the manifest that found the file, or the member; none for the kernel of a package
	Member string `yaml:"member,omitempty"` // path in the package
	List   string `yaml:"list,omitempty"`   // images_from, or the glob under include, of the manifest that the image is from
	Size   int64  `yaml:"size,omitempty"`   // of the file at Path
	SHA256 string `yaml:"sha256,omitempty"` // of the file at Path

	BuildID string `yaml:"build_id,omitempty"` // lower-case hex
	Release string `yaml:"release,omitempty"`  // of the kernel that it is, or is for
	Arch    string `yaml:"arch,omitempty"`     // normalised name

	Base       string `yaml:"base,omitempty"`        // name of the image that is the base
	BasePath   string `yaml:"base_path,omitempty"`   // or the file, in the form of Path
	BaseSHA256 string `yaml:"base_sha256,omitempty"` // of the file at BasePath
}

// Image returns the image of a name, or nil.
func (f *File) Image(name string) *Image {
	i, ok := slices.BinarySearchFunc(f.Images, name, func(im Image, name string) int { return cmp.Compare(im.Name, name) })
	if !ok {
		return nil
	}
	return &f.Images[i]
}

// Source returns the source with a reference, or nil.
func (f *File) Source(from string) *Source {
	i, ok := slices.BinarySearchFunc(f.Sources, from, func(s Source, from string) int { return cmp.Compare(s.From, from) })
	if !ok {
		return nil
	}
	return &f.Sources[i]
}

// From returns the sources of the images with a name of which is returns true. There are none in a nil File.
func (f *File) From(is func(name string) bool) map[string]bool {
	all := map[string]bool{}
	for i := 0; f != nil && i < len(f.Images); i++ {
		if im := &f.Images[i]; im.From != "" && is(im.Name) {
			all[im.From] = true
		}
	}
	return all
}

// Sort puts images and sources into their order, which Image, Source and Text require.
func (f *File) Sort() {
	slices.SortStableFunc(f.Images, func(a, b Image) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(f.Sources, func(a, b Source) int { return cmp.Compare(a.From, b.From) })
}

// rows is the start of the key of a list of rows.
const rows = "rows "

// A place is where an image is in a list of the manifest.
type place struct {
	list    string
	element string // unique in the list, except for images of one file
	role    string // the element without the release, which another version of a package changes in all paths
}

// places lists the lists that an image is in: at most that of its glob or its package, and the List.
func (im *Image) places() (all []place) {
	member := im.Member
	if im.Release != "" {
		member = strings.ReplaceAll(member, im.Release, "*")
	}
	switch {
	case im.Member != "":
		all = append(all, place{"from " + im.From + "\n" + im.Glob, im.Member, member})
	case im.Glob != "":
		all = append(all, place{"glob " + im.Glob, im.Path, im.Path})
	}
	if im.List != "" {
		at := im.Path + im.From + "\n" + im.SHA256 + "\n" + im.Glob + "\n" // absolute paths of many files are one Path
		all = append(all, place{rows + im.List, at + im.Member, at + member})
	}
	return all
}
