// Package apt finds Debian packages in an archive: the URL, the digest and the version of a package in a suite, for any architecture.
//
// Input: a suite, an architecture and the name of a package. Output: the origin of the package, which package http fetches. apt-get does the
// work, with a configuration of its own: it checks the signatures of the archive with the keys of the system, and neither reads nor changes
// what is installed. Never: the package trusts no index that apt-get does not trust.
package apt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/source/http"
)

// A Finder finds packages. Its fields must not change once it is in use. It is safe for concurrent use.
type Finder struct {
	Client *http.Client // fetches the packages
	Dir    string       // for the indexes of archives; empty: the folder apt beside the downloads
	Notice func(text string)

	debian func(suite string) entry // where Debian's suites are if the system's archive lacks them; nil: debianEntry

	mu      sync.Mutex
	entries []entry             // of the system's configuration
	read    bool                // entries is set
	ready   map[string]*archive // archives whose index is up to date, by folder
}

var (
	suiteForm   = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.+~_/-]*$`)
	archForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	packageForm = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+(=[a-zA-Z0-9][a-zA-Z0-9.+~:-]*)?$`)
)

// Check returns an error for a reference with a part that cannot be a name.
func Check(ref source.AptRef) error {
	for _, part := range []struct {
		what, text string
		form       *regexp.Regexp
	}{{"suite", ref.Suite, suiteForm}, {"architecture", ref.Arch, archForm}, {"package", ref.Package, packageForm}} {
		if !part.form.MatchString(part.text) {
			return fmt.Errorf("%q is not the name of a %s; it is written apt=SUITE/ARCHITECTURE/PACKAGE, such as apt=bookworm/amd64/linux-image-cloud-amd64-dbg",
				part.text, part.what)
		}
	}
	if ref.Mirror != "" && strings.ContainsAny(ref.Mirror, " \t\n[]") {
		return fmt.Errorf("the mirror %q is not a URL", ref.Mirror)
	}
	return nil
}

// debianArch are Debian's names of architectures that others call differently.
var debianArch = map[string]string{"x86_64": "amd64", "x86": "i386", "aarch64": "arm64", "arm": "armhf", "ppc64le": "ppc64el", "mips64le": "mips64el",
	"loongarch64": "loong64"}

// Find implements source.Finder. It brings the index of the archive up to date, once in the life of the Finder.
func (f *Finder) Find(ctx context.Context, ref source.Ref) (source.Origin, error) {
	if ref.Locked && ref.Exact != "" {
		return &locked{f: f, ref: ref}, Check(source.AptRef{Suite: ref.Apt.Suite, Arch: ref.Apt.Arch, Package: ref.Exact, Mirror: ref.Apt.Mirror})
	}
	o, err := f.find(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ref, err)
	}
	return o, nil
}

func (f *Finder) find(ctx context.Context, ref source.Ref) (source.Origin, error) {
	want := ref.Apt
	if arch, ok := debianArch[want.Arch]; ok {
		want.Arch = arch
	}
	if err := Check(want); err != nil {
		return nil, err
	}
	a, err := f.archive(ctx, want)
	if err != nil {
		return nil, err
	}
	p, err := a.newest(ctx, want.Package, ref.Boot)
	if err != nil {
		return nil, err
	}
	if ref.SHA256 != "" && ref.SHA256 != p.sha256 {
		return nil, source.WrongDigest(fmt.Errorf("sha256: %s %s has %s in the archive, %s %s", p.name, p.version, p.sha256, ref.By(), ref.SHA256))
	}
	facts := source.Facts{Package: p.name, Version: p.version, Size: p.size, SHA256: p.sha256}
	if local, ok := strings.CutPrefix(a.entry.uri, "file:"); ok {
		path := filepath.Join("/", strings.TrimLeft(local, "/"), filepath.FromSlash(p.file))
		o, err := source.Finders{}.Find(ctx, source.Ref{Kind: source.KindDeb, Where: path, SHA256: p.sha256})
		return localOrigin{o, facts}, err
	}
	url := strings.TrimRight(a.entry.uri, "/") + "/" + strings.TrimLeft(p.file, "/")
	if err := http.CheckURL(url); err != nil {
		return nil, fmt.Errorf("%w; name another mirror of the archive", err)
	}
	return remoteOrigin{http.Origin{Client: f.Client, Request: http.Request{URL: url, SHA256: p.sha256, Size: p.size, Trusted: true}, Known: facts}, a}, nil
}

// A remoteOrigin is a package in an archive on a server.
type remoteOrigin struct {
	http.Origin
	archive *archive
}

// Open opens the package. A server may have the index of an architecture, and not the packages.
func (o remoteOrigin) Open(ctx context.Context) (*source.Blob, error) {
	b, err := o.Origin.Open(ctx)
	if status, ok := errors.AsType[*http.StatusError](err); ok && status.Missing() {
		err = fmt.Errorf("%w, although its index of %s for %s lists it: the server does not mirror the packages of that architecture, or was just updated; name another server with mirror",
			err, o.archive.entry.suite, o.archive.arch)
	}
	return b, err
}

// A localOrigin is a package in an archive on a disk.
type localOrigin struct {
	source.Origin
	known source.Facts
}

func (o localOrigin) Facts() source.Facts {
	f := o.known
	f.Path = o.Origin.Facts().Path
	return f
}

// archive returns the archive of a suite, with an index that is up to date.
func (f *Finder) archive(ctx context.Context, want source.AptRef) (*archive, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.programs(); err != nil {
		return nil, err
	}
	if !f.read {
		entries, err := systemEntries(ctx)
		if err != nil {
			return nil, err
		}
		f.entries, f.read = entries, true
	}
	e, err := choose(f.entries, want.Suite, want.Mirror)
	if err != nil {
		return nil, err
	}
	a, err := f.indexed(ctx, e, want.Arch)
	if err == nil || !lacksSuite(err) || want.Mirror != "" {
		return a, advised(err)
	}
	// The system is not Debian, or its mirror has this suite no more.
	elsewhere := debianEntry
	if f.debian != nil {
		elsewhere = f.debian
	}
	other := elsewhere(want.Suite)
	if other.uri == strings.TrimRight(e.uri, "/") {
		return nil, advised(err)
	}
	a, second := f.indexed(ctx, other, want.Arch)
	switch {
	case second == nil:
		return a, nil
	case lacksSuite(second):
		return nil, advised(err)
	}
	return nil, advised(second)
}

// indexed returns the archive of an entry, with an index that is up to date.
func (f *Finder) indexed(ctx context.Context, e entry, arch string) (*archive, error) {
	if f.Dir == "" {
		dir, err := http.Folder()
		if err != nil {
			return nil, err
		}
		f.Dir = filepath.Join(filepath.Dir(dir), "apt")
	}
	a := &archive{entry: e, arch: arch}
	a.dir = filepath.Join(f.Dir, a.key())
	if known := f.ready[a.dir]; known != nil {
		return known, nil
	}
	if f.Notice != nil {
		f.Notice(fmt.Sprintf("reading the index of %s, %s, %s", e.uri, e.suite, arch))
	}
	if err := a.update(ctx); err != nil {
		return nil, source.NotFetched(err)
	}
	if f.ready == nil {
		f.ready = map[string]*archive{}
	}
	f.ready[a.dir] = a
	return a, nil
}

// errNone says that a package is not in the archive.
var errNone = errors.New("no such package")

// A noneError says in which archive a package is not, and has the cause errNone.
type noneError struct{ text string }

func (e *noneError) Error() string { return e.text }

func (e *noneError) Is(target error) bool { return target == errNone || target == source.ErrFetch }

// most is the largest size of a package that only names another one, in bytes, and how many of them may follow each other.
const (
	maxMeta  = 64 << 10
	maxChain = 4
)

// newest returns a package. For one that has no contents and depends on the package of a kernel, it is that one. boot is as in source.Ref.
func (a *archive) newest(ctx context.Context, name string, boot bool) (p *pkg, err error) {
	first := name
	for range maxChain {
		if p, err = a.show(ctx, name); err != nil {
			if errors.Is(err, errNone) {
				if all := a.architectures(); all != nil && !slices.Contains(all, a.arch) {
					return nil, &noneError{fmt.Sprintf("%s has no packages for the architecture %s; it has %s", a.entry, a.arch, strings.Join(all, ", "))}
				}
				return nil, &noneError{fmt.Sprintf("%s has no package %s for %s%s", a.entry, name, a.arch, a.similar(ctx, name))}
			}
			return nil, err
		}
		next := p.kernel(boot)
		if next == "" {
			return p, nil
		}
		name = next
	}
	return nil, fmt.Errorf("the packages that %s depends on lead to no kernel", first)
}
