package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
	"github.com/btfbatch/btfbatch/corpus/source/deb"
	"github.com/btfbatch/btfbatch/corpus/source/rpm"
	"github.com/btfbatch/btfbatch/encoder/input"
	_ "github.com/btfbatch/btfbatch/encoder/input/codecs" // files of packages may be compressed
)

// KernelMembers is the pattern of the kernel's image with DWARF in debug packages.
const KernelMembers = "usr/lib/debug/{boot/vmlinux-*,lib/modules/*/vmlinux,lib/modules/*/vmlinux.debug,usr/lib/modules/*/vmlinux,usr/lib/modules/*/vmlinux.debug}"

// BootMembers is the pattern of the kernel as it boots in packages that install it. On some architectures it is an ELF file. SUSE has an ELF file
// beside it, which is compressed.
const BootMembers = "{boot/vmlinux-*,boot/vmlinuz-*,{,usr/}lib/modules/*/{vmlinux,vmlinux.xz,vmlinux.zst,vmlinux.gz,vmlinuz}}"

// Limits bound the work on one package.
type Limits struct {
	Most    int64 // the largest file to unpack, in bytes
	Scratch int64 // bytes of waiting files that may be kept in a temporary file
	Room    *Room // bounds what is kept in memory of large files of all packages; what exceeds it goes to temporary files. May be nil.
}

// A Room bounds the memory of the files of several packages.
type Room = archive.Room

// DefaultRoom is the size of a room in bytes that has enough for most kernels. A kernel is decoded in some 150 MiB: what is read once, its types, is given up
// as it is translated.
const DefaultRoom = 192 << 20

// NewRoom returns a room of the given number of bytes.
func NewRoom(bytes int64) *Room { return archive.NewRoom(bytes) }

// DefaultScratch is a plausible value of Limits.Scratch.
const DefaultScratch = 1 << 30

// A Package is a package that contains images. It is opened when it is needed, and read once, in order, for all of them, as far as its format
// allows. It is safe for concurrent use.
type Package struct {
	ref    Ref
	origin Origin
	limits Limits

	opening sync.Mutex // held while the package is opened or hashed
	blob    *Blob      // nil if it is closed
	head    *archive.Package
	sum     string
	size    int64 // of the stored bytes; 0 if unknown
	failed  error // the package cannot be used
	glances []glance

	reading reading
}

// NewPackage returns the package of a reference, which is a deb, rpm or apt.
func NewPackage(ref Ref, origin Origin, limits Limits) *Package {
	p := &Package{ref: ref, origin: origin, limits: limits}
	p.reading.init(p)
	return p
}

// Facts says what is known about the package: what its origin says, and its own name and version, if it was opened.
func (p *Package) Facts() Facts {
	f := p.origin.Facts()
	p.opening.Lock()
	defer p.opening.Unlock()
	switch {
	case p.head != nil:
		f.Package, f.Version, f.Size = p.head.Name, p.head.Version, cmp.Or(p.size, f.Size)
	case len(p.glances) > 0:
		g := &p.glances[0]
		f.Package, f.Version, f.Size = g.head.Name, g.head.Version, cmp.Or(g.size, f.Size)
	}
	return f
}

// CheckMember returns an error for a pattern that is not valid.
func CheckMember(pattern string) error {
	if !doublestar.ValidatePattern(pattern) {
		return fmt.Errorf("%s is not a valid pattern", pattern)
	}
	return nil
}

// open opens the package, reads its headers, and compares it with its pin.
func (p *Package) open(ctx context.Context) error {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.blob != nil || p.failed != nil {
		return p.failed
	}
	b, err := p.origin.Open(ctx)
	if err != nil {
		return err
	}
	b.reported(ctx)
	if p.sum, err = b.pinned(ctx, p.ref, p.origin, p.sum); err != nil {
		b.Close()
		if ctx.Err() == nil {
			p.failed = err
		}
		return err
	}
	head, err := p.headers(ctx, b)
	if err != nil {
		b.Close()
		return err
	}
	if p.blob, p.size = b, max(b.Size, 0); p.head == nil {
		p.head = head
	}
	p.head.Payload = head.Payload
	p.head.Payload.Room = p.limits.Room
	if p.failed = p.confirm(); p.failed != nil {
		p.blob = nil
		b.Close()
	}
	return p.failed
}

func (p *Package) headers(ctx context.Context, b *Blob) (*archive.Package, error) {
	switch isRPM := p.ref.Kind == KindRPM; {
	case isRPM && b.At != nil:
		return rpm.Open(ctx, b.At, b.Size)
	case isRPM:
		return rpm.OpenStream(ctx, b.Stream)
	case b.At != nil:
		return deb.Open(ctx, b.At, b.Size)
	}
	return deb.OpenStream(ctx, b.Stream, b.Size)
}

// sha256 returns the digest of the package, or "" if it can only be read in order.
func (p *Package) sha256(ctx context.Context) (sum string, err error) {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.sum == "" && p.blob != nil && p.blob.At != nil {
		p.sum, err = Sum(ctx, p.blob.At, p.blob.Size)
	}
	return p.sum, err
}

// changed returns input.ErrChanged if the package changed since it was opened.
func (p *Package) changed() error {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.blob == nil || p.blob.Changed == nil {
		return nil
	}
	return p.blob.Changed()
}

// close closes the package. It can be opened again.
func (p *Package) close() {
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.blob != nil {
		p.blob.Close()
		p.blob = nil
	}
}

// Members returns the files that a pattern matches, each as the Source of its contents, in the order of the package. Links that match stand for
// the files that they lead to. An empty pattern is KernelMembers. If nothing matches, the error says what to do.
//
// Members that are returned are kept for whoever opens them: the caller opens each of them, or calls Forget.
func (p *Package) Members(ctx context.Context, pattern string) ([]*Member, error) {
	return p.members(ctx, pattern, cmp.Or(pattern, KernelMembers))
}

// A Place is a file of a package that a pattern matched.
type Place struct {
	Name   string `json:"name"`
	Target string `json:"target"` // the file that it leads to
	Size   int64  `json:"size"`   // -1 if the package does not list it
}

// Place says where the file is.
func (m *Member) Place() Place { return Place{m.Name, m.target, m.size} }

// Recall returns files whose places are known from the same package, without opening it. The caller opens or forgets them, as those of Members.
func (p *Package) Recall(places []Place) (list []*Member) {
	for _, x := range places {
		list = append(list, &Member{p, x.Name, x.Target, x.Size})
		p.reading.want(x.Target)
	}
	return list
}

// WithBTF returns the files that a pattern matches, as Members does. An empty pattern is KernelMembers, or BootMembers if no file matches that.
func (p *Package) WithBTF(ctx context.Context, pattern string) ([]*Member, error) {
	if pattern != "" {
		return p.members(ctx, pattern, pattern)
	}
	return p.members(ctx, "", KernelMembers, BootMembers)
}

// members returns the files that match the first of the patterns that any file matches. given is the pattern of the caller.
func (p *Package) members(ctx context.Context, given string, patterns ...string) ([]*Member, error) {
	if err := CheckMember(patterns[0]); err != nil {
		return nil, err
	}
	if list := p.glance(ctx, patterns); len(list) > 0 {
		for _, m := range list {
			p.reading.want(m.target)
		}
		return list, nil
	}
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	list, err := p.first(p.head.Files, patterns)
	switch {
	case err != nil || len(list) > 0:
	case p.streamed(given):
		list = []*Member{{p, given, given, -1}} // it is found when it is read
	case p.once() && len(p.head.Files) == 0:
		err = errUnlisted
	}
	if err == nil && len(list) == 0 { // the list may lack links, or the package may have none
		var files []archive.Listed
		if files, err = p.reading.list(ctx); err == nil {
			if list, err = p.first(files, patterns); err == nil && len(list) == 0 {
				err = Lacks(noMember(given, len(files), len(patterns) > 1))
			}
		}
	}
	if err != nil {
		p.reading.idle()
		return nil, err
	}
	for _, m := range list {
		p.reading.want(m.target)
	}
	return list, nil
}

// errUnlisted: a package comes through a pipe, and has no list of its files.
var errUnlisted = errors.New("the package has no list of its files, and in a pipe the files cannot be listed before one is read: name the path " +
	"of the file, without a pattern, or give the package as a file")

// once reports whether the package, which is open, can be read only once, so that the archive is not read to list its files.
func (p *Package) once() bool {
	_, pipe := p.origin.(*standardInput)
	return pipe && p.head.Payload.At == nil
}

// streamed reports whether a pattern is the path of a file in a package that can be read only once.
func (p *Package) streamed(pattern string) bool {
	return p.once() && pattern != "" && !strings.ContainsAny(pattern, `*?[{\\`)
}

// first finds the files of a list that match the first of the patterns that any of them matches.
func (p *Package) first(files []archive.Listed, patterns []string) (list []*Member, err error) {
	for _, pattern := range patterns {
		if list, err = p.match(files, pattern); err != nil || len(list) > 0 {
			break
		}
	}
	return list, err
}

// match finds the files of a list that a pattern matches.
func (p *Package) match(files []archive.Listed, pattern string) ([]*Member, error) {
	links, sizes := archive.Links{}, map[string]int64{}
	for i := range files {
		f := &files[i]
		links.Add(&archive.Entry{Name: f.Name, Kind: f.Kind, Target: f.Target})
		if f.Kind == archive.File {
			sizes[f.Name] = f.Size
		}
	}
	var list []*Member
	for i := range files {
		f := &files[i]
		if f.Kind == archive.Folder || !doublestar.MatchUnvalidated(pattern, f.Name) {
			continue
		}
		target, err := f.Name, error(nil)
		if f.Kind == archive.Symlink || f.Kind == archive.HardLink {
			target, err = links.Resolve(f.Name)
		}
		size, ok := sizes[target]
		if err == nil && !ok {
			err = fmt.Errorf("it is not a file but a device, a pipe or unknown")
			if target != f.Name {
				err = fmt.Errorf("the link leads to %s, which is not a file of the package", archive.Printable(target))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", archive.Printable(f.Name), err)
		}
		if !slices.ContainsFunc(list, func(m *Member) bool { return m.target == target }) {
			list = append(list, &Member{p: p, Name: f.Name, target: target, size: size})
		}
	}
	return list, nil
}

// noMember says which pattern no file matches.
func noMember(pattern string, files int, btf bool) error {
	if pattern == "" && btf {
		return fmt.Errorf("the package has no kernel (usr/lib/debug/boot/vmlinux-*, usr/lib/debug/lib/modules/*/vmlinux, boot/vmlinuz-* or lib/modules/*/vmlinuz) among its %d files: "+
			"give a package with a kernel, or name a member", files)
	}
	if pattern == "" {
		return fmt.Errorf("the package has no kernel with DWARF (usr/lib/debug/boot/vmlinux-* or usr/lib/debug/lib/modules/*/vmlinux) among its %d files: "+
			"give a debug package (-dbg, -dbgsym, -debuginfo), or name a member", files)
	}
	return fmt.Errorf("none of the %d files in the package matches %s", files, pattern)
}

// A Member is the Source of a file in a package.
type Member struct {
	p      *Package
	Name   string // path in the package, without a leading slash; a link that matched keeps its name
	target string // the file that it leads to
	size   int64  // -1 if the package does not list it
}

// Open reads the file out of the package.
func (m *Member) Open(ctx context.Context) (*input.File, error) { return m.OpenAs(ctx, input.ELF) }

// OpenAs reads the file, which must be of one of the given kinds, as for input.Open.
func (m *Member) OpenAs(ctx context.Context, want ...input.Kind) (*input.File, error) {
	if err := m.p.open(ctx); err != nil {
		return nil, err
	}
	return m.p.reading.take(ctx, m.target, want)
}

// Forget says that the member will not be opened.
func (m *Member) Forget() { m.p.reading.forget(m.target) }

// Size is the size of the file as the package lists it, or an estimate: kernels are large, modules are small.
func (m *Member) Size() int64 {
	if m.size < 0 && doublestar.MatchUnvalidated("**/vmlinux*", m.target) {
		return max(m.p.origin.Facts().Size, large)
	}
	return max(m.size, 0)
}

// String is the package and the path in it.
func (m *Member) String() string { return m.p.origin.String() + ": " + archive.Printable(m.Name) }
