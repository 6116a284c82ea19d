package corpus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A finder finds images that are not files of their own. Images of one reference share what is found.
type finder struct {
	Sources
	ctx     context.Context //nolint:containedctx // of the call of Resolve
	origins map[source.Ref]*found
}

// A found is what a reference stands for: a package, or a file with an image.
type found struct {
	origin source.Origin
	pkg    *source.Package
	err    error
}

// refOf converts what a manifest says.
func refOf(from *config.From) source.Ref {
	ref := source.Ref{Kind: source.Kind(from.Kind), Where: from.Where, Apt: source.AptRef(from.Apt), SHA256: from.SHA256}
	if l := from.Locked; l != nil {
		ref.Locked, ref.Exact = !l.Contradicted, l.Package+"="+l.Version
	}
	return ref
}

func (f *finder) find(ref source.Ref) *found {
	if o := f.origins[ref]; o != nil {
		return o
	}
	o := &found{}
	if o.origin, o.err = f.Find(f.ctx, ref); o.err == nil && ref.Kind.IsPackage() {
		o.pkg = source.NewPackage(ref, o.origin, f.Limits)
	}
	f.origins[ref] = o
	return o
}

// from returns the items of an image with from.
func (f *finder) from(im config.Image) []Item {
	if err := f.ctx.Err(); err != nil {
		return []Item{newItem(named(im), err)}
	}
	ref := refOf(im.From)
	if f.Listed != nil {
		if list := f.Listed(&im); len(list) > 0 {
			return listed(im, list)
		}
	}
	o := f.find(ref)
	fail := func(err error) []Item {
		it := newItem(named(im), err)
		if o.origin != nil {
			it.Origin = Origin{o.origin.Facts(), im.From.Member, ref}
		}
		return []Item{it}
	}
	if o.err != nil {
		return fail(o.err)
	}
	if o.pkg == nil {
		return f.remote(im, ref, o)
	}
	members, facts, err := f.members(o, ref, im.From.Member)
	if err != nil {
		return fail(input.Named(o.origin.String(), err))
	}
	if len(members) > 1 && !im.NamedByFile() {
		for _, m := range members {
			m.Forget()
		}
		return fail(fmt.Errorf("member %s matches %d files of %s, which would all be named %q; put ${{ image.file }} into it",
			im.From.Member, len(members), o.origin, im.Name))
	}
	var items []Item
	for _, m := range members {
		release := releaseOf(m.Name)
		if release == "" && im.NeedsRelease() {
			release = f.release(m)
		}
		one, err := im.Fill(config.Facts{File: m.Name, Release: release, Package: facts.Package, Version: facts.Version})
		it := newItem(named(one), err)
		it.Pins.IsRelease = release
		it.File = File{Source: m, Pins: it.Pins, Size: m.Size(), named: o.origin.String(), Origin: Origin{facts, m.Name, ref}}
		if err != nil {
			m.Forget()
		}
		items = append(items, it)
	}
	return items
}

// members returns the files of a package that a pattern matches, and what is known about the package. The memory is asked for the digest of the package
// only if it is known that the package has it: a package that was replaced, or that is gone, is opened, which says so.
func (f *finder) members(o *found, ref source.Ref, pattern string) ([]*source.Member, source.Facts, error) {
	var note func()
	compared := false
	sum := cmp.Or(ref.SHA256, o.origin.Facts().SHA256)
	if f.Memory != nil && sum != "" {
		compared, note = f.Memory.Compared(ref, o.origin.Facts(), sum)
	}
	if note == nil {
		list, err := o.pkg.Members(f.ctx, pattern)
		return list, o.pkg.Facts(), err
	}
	if known, ok := f.Memory.Matches(sum, pattern); ok && compared {
		facts := o.pkg.Facts()
		facts.Package, facts.Version, facts.Size = cmp.Or(facts.Package, known.Package), cmp.Or(facts.Version, known.Version), cmp.Or(facts.Size, known.Size)
		return o.pkg.Recall(known.Files), facts, known.Err
	}
	list, err := o.pkg.Members(f.ctx, pattern)
	facts := o.pkg.Facts()
	if err == nil || errors.Is(err, source.ErrNoMember) {
		m := Matches{Package: facts.Package, Version: facts.Version, Size: facts.Size, Err: err}
		for _, x := range list {
			m.Files = append(m.Files, x.Place())
		}
		o.pkg.WhenCompared(func() {
			note()
			f.Memory.Keep(sum, pattern, m)
		})
	}
	return list, facts, err
}

// listed returns the items of images that are known.
func listed(im config.Image, list []Listed) (items []Item) {
	for i := range list {
		l := &list[i]
		one, err := l.Fill(&im)
		it := newItem(named(one), err)
		it.Origin = Origin{Member: l.Member}
		it.Origin.Package, it.Origin.Version = l.Package, l.Version
		items = append(items, it)
	}
	return items
}

// remote returns the item of an image that is not in a package.
func (f *finder) remote(im config.Image, ref source.Ref, o *found) []Item {
	s := source.NewRemote(ref, o.origin, f.Most)
	facts := config.Facts{File: path.Base(ref.Where)}
	if im.NeedsRelease() {
		facts.Release = f.release(s)
	}
	one, err := im.Fill(facts)
	it := newItem(named(one), err)
	it.File = File{Source: s, Pins: it.Pins, Size: s.Size(), named: o.origin.String(), Origin: Origin{o.origin.Facts(), "", ref}}
	return []Item{it}
}

// release opens an image to read its release. The reason why there is none is found again when the image is encoded.
func (f *finder) release(s source.Source) string {
	in, err := s.Open(f.ctx)
	if err != nil {
		return ""
	}
	defer in.Close()
	e, err := elf.FromInput(in)
	if err != nil {
		return ""
	}
	id, _ := Identify(e)
	return id.Release
}

var (
	modulesFolder = regexp.MustCompile(`(?:^|/)lib/modules/([^/]+)/`)
	kernelFile    = regexp.MustCompile(`(?:^|/)vmlinu[xz]-([^/]+)$`)
)

// releaseOf returns the release that a path in a package is for, or "".
func releaseOf(name string) string {
	if m := modulesFolder.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	if m := kernelFile.FindStringSubmatch(name); m != nil {
		for _, end := range []string{".xz", ".zst", ".gz", ".bz2", ".debug"} {
			m[1] = strings.TrimSuffix(m[1], end)
		}
		return m[1]
	}
	return ""
}

// PackageAt returns the kind of the package that is a regular file at a path, or on the standard input, or "" if none is there.
func PackageAt(path string) source.Kind {
	var kind input.Kind
	var err error
	if path == input.Stdin {
		kind = input.KindOfStdin()
	} else {
		kind, err = input.KindOf(path)
	}
	switch {
	case err != nil: // whoever opens it again reports that
		return ""
	case kind == input.Deb:
		return source.KindDeb
	case kind == input.RPM:
		return source.KindRPM
	}
	return ""
}

// FileFrom finds the only file that a reference and a pattern of members stand for. Of several kernels, it is the first.
func FileFrom(ctx context.Context, ref source.Ref, member string, s Sources) (File, error) {
	return fileFrom(ctx, ref, member, s, (*source.Package).Members)
}

// OpenBTF finds the only file that a reference and a pattern of members stand for, and opens it. It must be of one of the given kinds. Without a
// pattern, it is the kernel with DWARF of a package, or else the kernel as it boots. An ELF file is compared with what its path in the package says.
func OpenBTF(ctx context.Context, ref source.Ref, member string, s Sources, want ...input.Kind) (*input.File, error) {
	ref.Boot = true
	f, err := fileFrom(ctx, ref, member, s, (*source.Package).WithBTF)
	if err != nil {
		return nil, err
	}
	in, err := f.Source.(interface {
		OpenAs(ctx context.Context, want ...input.Kind) (*input.File, error)
	}).OpenAs(ctx, want...)
	if err != nil || in.Kind != input.ELF {
		return in, err
	}
	if _, err := f.look(in); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

func fileFrom(ctx context.Context, ref source.Ref, member string, s Sources,
	find func(p *source.Package, ctx context.Context, pattern string) ([]*source.Member, error)) (File, error) {
	f := finder{ctx: ctx, Sources: s, origins: map[source.Ref]*found{}}
	o := f.find(ref)
	if o.err != nil {
		return File{}, o.err
	}
	if o.pkg == nil {
		r := source.NewRemote(ref, o.origin, s.Most)
		return File{Source: r, Size: r.Size(), Origin: Origin{o.origin.Facts(), "", ref}}, nil
	}
	members, err := find(o.pkg, ctx, member)
	if err != nil {
		return File{}, err
	}
	for _, m := range members[1:] {
		m.Forget()
	}
	if len(members) > 1 && member != "" {
		members[0].Forget()
		return File{}, fmt.Errorf("%d files match, %s and %s: name one", len(members), members[0].Name, members[1].Name)
	}
	m := members[0]
	return File{Source: m, Pins: Pins{IsRelease: releaseOf(m.Name)}, Size: m.Size(), Origin: Origin{o.pkg.Facts(), m.Name, ref}}, nil
}

// Forget says that of the images of a package only those that are kept will be opened, so that the others do not wait for that.
func Forget(all, kept []Item) {
	wanted := map[source.Source]bool{}
	for i := range kept {
		if m, ok := kept[i].Source.(*source.Member); ok {
			wanted[m] = true
		}
	}
	for i := range all {
		if m, ok := all[i].Source.(*source.Member); ok && all[i].Err == nil && !wanted[m] {
			m.Forget()
		}
	}
}
