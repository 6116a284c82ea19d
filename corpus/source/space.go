package source

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

// unpackedShare is the number of bytes that become of a compressed one.
const unpackedShare = 5

// Scratch is the space in bytes that the file needs in a temporary file while it is open: nothing for a small one, which is in memory. It is known if
// the package lists sizes, as RPM does, or if the header of the file in the archive was read. Otherwise it is an upper bound: what the package
// takes when it is installed.
func (m *Member) Scratch() int64 {
	size := m.size
	if e, ok := m.p.reading.place(m.target); ok {
		size = e.Size
	}
	switch {
	case size >= 0 && size <= large:
		return 0
	case size >= 0:
		return size
	case !doublestar.MatchUnvalidated("**/vmlinu*", m.target):
		return 0 // modules are small
	}
	m.p.opening.Lock()
	defer m.p.opening.Unlock()
	if m.p.head != nil && m.p.head.Installed > 0 {
		return m.p.head.Installed
	}
	return max(m.p.size, m.p.origin.Facts().Size) * unpackedShare
}

// Waiting is the space in bytes that files of the package can take in a temporary file while they wait for their images.
func (m *Member) Waiting() int64 { return m.p.limits.Scratch }

// place returns the header of a file, if it was read.
func (r *reading) place(name string) (e archive.Entry, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok = r.places[name]
	return e, ok
}

// Scratch is the space in bytes that the image needs in a temporary file while it is open. A plain image is read in place if the server sends parts.
// By its name, a compressed one has a fifth of the size of what is in it.
func (r *Remote) Scratch() int64 {
	name, _, _ := strings.Cut(path.Base(r.origin.String()), "?")
	if !slices.Contains([]string{".xz", ".gz", ".zst", ".bz2"}, strings.ToLower(path.Ext(name))) {
		return 0
	}
	return r.Size() * unpackedShare
}
