package source

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/btfbatch/btfbatch/corpus/source/deb"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// KernelMembers is the pattern of the kernel's image with DWARF in debug packages.
const KernelMembers = "usr/lib/debug/{boot/vmlinux-*,lib/modules/*/vmlinux}"

// A Deb is the Source of a file in a Debian package. The package is read in order and not unpacked: only the wanted file is written, to a
// temporary file without a name.
type Deb struct {
	Package string // path of the package
	// Member is the pattern of the wanted file, by its path from the root of the package. Empty, it is the first that matches
	// KernelMembers. A pattern that several files match is an error.
	Member string
	Most   int64 // the largest file to unpack, in bytes
}

// Open unpacks the file.
func (d Deb) Open(ctx context.Context) (*input.File, error) {
	q := deb.Query{Most: d.Most, Check: input.CheckELF}
	pattern := d.Member
	if pattern == "" {
		pattern, q.First = KernelMembers, true
	}
	if err := CheckMember(pattern); err != nil {
		return nil, err
	}
	q.Match = func(name string) bool { return doublestar.MatchUnvalidated(pattern, name) }
	outer, st, err := input.OpenRaw(d.Package)
	if err != nil {
		return nil, err
	}
	f, err := input.Unpack(outer, st, "deb", func(inner *os.File) error {
		p, err := deb.Open(outer, st.Size())
		if err != nil {
			return err
		}
		_, err = p.Extract(ctx, q, inner)
		if none, ok := errors.AsType[*deb.NoMemberError](err); ok {
			return noMember(d.Member, none)
		}
		return err
	})
	if err != nil {
		outer.Close()
	}
	return f, err
}

// CheckMember returns an error for a pattern that is not valid.
func CheckMember(pattern string) error {
	if !doublestar.ValidatePattern(pattern) {
		return fmt.Errorf("%s is not a valid pattern", pattern)
	}
	return nil
}

// noMember says which pattern no file matches.
func noMember(member string, err *deb.NoMemberError) error {
	if member == "" {
		return fmt.Errorf("the package has no kernel with DWARF (%s) among its %d files: give a debug package (-dbg, -dbgsym), or name a member",
			KernelMembers, err.Files)
	}
	return fmt.Errorf("none of the %d files in the package matches %s", err.Files, member)
}

// Size is the size of the package, or 0 if it is not a regular file.
func (d Deb) Size() int64 { return File(d.Package).Size() }

// String is the path of the package.
func (d Deb) String() string { return d.Package }
