package source

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

// What is known of debug packages and compressed kernels; see package cost.
const (
	Unpacked = 6         // bytes that a compressed byte unpacks to: 5.8 to 6.8
	Kernel   = 450 << 20 // bytes of a kernel with debug information
)

// Scratch is the space in bytes that the file needs in a temporary file while it is open: nothing for a small one, which is in memory. It is known if
// the package lists sizes, as RPM does, or if the header of the file in the archive was read. Otherwise it is that of a kernel, or of all files if they are
// smaller.
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
	all := max(m.p.size, m.p.origin.Facts().Size) * Unpacked
	if m.p.head != nil && m.p.head.Installed > 0 {
		all = m.p.head.Installed
	}
	return min(all, Kernel)
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
// A name says whether it is compressed.
func (r *Remote) Scratch() int64 {
	name, _, _ := strings.Cut(path.Base(r.origin.String()), "?")
	if !slices.Contains([]string{".xz", ".gz", ".zst", ".bz2"}, strings.ToLower(path.Ext(name))) {
		return 0
	}
	return r.Size() * Unpacked
}
