package source

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// A Kind says how a Ref names its bytes.
type Kind string

// The kinds of references.
const (
	KindDeb        Kind = "deb"        // a Debian package: a file or a URL
	KindRPM        Kind = "rpm"        // an RPM package: a file or a URL
	KindURL        Kind = "url"        // an image on a server, compressed or not
	KindApt        Kind = "apt"        // a Debian package, by its name in an archive that apt knows
	KindDebuginfod Kind = "debuginfod" // an image on a debuginfod server, by its build id
)

// Kinds lists all kinds.
var Kinds = []Kind{KindDeb, KindRPM, KindURL, KindApt, KindDebuginfod}

// IsPackage reports whether references of this kind name packages, which contain images.
func (k Kind) IsPackage() bool { return k == KindDeb || k == KindRPM || k == KindApt }

// A Ref names a package or an image as a user does. It says where to look, and not yet what is found there today.
type Ref struct {
	Kind   Kind
	Where  string // deb, rpm: a path, - for the standard input, or an http(s) URL; url: an http(s) URL; debuginfod: the build id in lower-case hex
	Apt    AptRef // apt only
	SHA256 string // the digest that the stored bytes must have, in lower-case hex; empty if not pinned

	// Locked means that SHA256 is from a lock: the reference stands for these bytes, and not for what is found there today. Exact is the package and its
	// version, PACKAGE=VERSION, that an apt reference then stands for.
	Locked bool
	Exact  string

	// Boot means that the kernel as it boots is good enough. A package of apt without contents then stands for the one with that kernel too, and
	// not only for the one with debug information.
	Boot bool
}

// By names the file that has the digest, for messages.
func (r Ref) By() string {
	if r.Locked {
		return "the lock has"
	}
	return "the manifest pins"
}

// An AptRef names a package in an archive that apt knows.
type AptRef struct {
	Suite, Arch, Package string
	Mirror               string // URL of the archive; empty for the one in the configuration of the system
}

// String returns the reference as it is written on the command line, KIND=WHERE.
func (r Ref) String() string {
	if r.Kind == KindApt {
		return fmt.Sprintf("%s=%s/%s/%s", r.Kind, r.Apt.Suite, r.Apt.Arch, r.Apt.Package)
	}
	return fmt.Sprintf("%s=%s", r.Kind, r.Where)
}

// A Finder finds what references of its kind stand for. The packages that use a network implement it.
type Finder interface {
	// Find returns what a reference stands for today. It may use the network, and fetches no more than that takes. Its result is used for as
	// long as the run lasts, so that all images of one reference have the same origin. Errors name the reference, or the URL in question.
	Find(ctx context.Context, ref Ref) (Origin, error)
}

// An Origin is a package, or a file with an image, whose place is known.
type Origin interface {
	// Facts says what is known before anything is opened.
	Facts() Facts
	// Open opens the bytes. It may be called again, also while the Blob of an earlier call is open; the bytes are the same every time, or the
	// error says that they changed. If the reference has a pin, the origin either compares it with all bytes before it returns, and sets
	// Blob.SHA256, or leaves that field empty; then the caller reads all bytes to compare them, which is only possible with Blob.At.
	Open(ctx context.Context) (*Blob, error)
	// String is the path or the URL, for messages.
	String() string
}

// A Looker is an Origin that fetches all bytes to compare their digest, and can show some of them before. What they say is not known to be true until
// Open has compared them.
type Looker interface {
	// Look opens the bytes for reading a part of them. The Blob is nil if that would fetch all of them.
	Look(ctx context.Context) (*Blob, error)
}

// Facts are what an origin says about its bytes. Fields that are unknown are empty.
type Facts struct {
	URL              string // empty for a local file
	Path             string // of a local file
	Package, Version string // apt: the package that was found, and its version
	Size             int64  // stored bytes; 0 if unknown
	SHA256           string // the digest that a signed index or a server states, in lower-case hex. It need not have been checked.
	BuildID          string // lower-case hex
	Network          bool   // the bytes come from a network
}

// A Blob is the stored bytes of a package or an image, opened. It is safe for concurrent use through At.
type Blob struct {
	// At reads at any offset. A server with ranges can provide it: reads are made in pieces of 64 KiB or more where the bytes of a package
	// are decoded, and each byte is read once, or rarely twice. Nil if the bytes can only be read in order.
	At   io.ReaderAt
	Size int64 // in bytes; -1 if unknown, which is allowed only without At
	// Stream reads the bytes in order, from the first one to the end, and only once. Nil if there is At.
	Stream io.Reader

	SHA256  string       // of all bytes, in lower-case hex, if the origin has computed it from them; otherwise empty
	Info    fs.FileInfo  // of a regular local file, as it was when it was opened; otherwise nil
	Changed func() error // returns input.ErrChanged if the bytes changed since Open; may be nil
	Release func() error // called once by Close; may be nil
}

// Close releases the bytes.
func (b *Blob) Close() error {
	if b.Release == nil {
		return nil
	}
	return b.Release()
}

// Finders are the finders for the kinds of references that need a network. A nil one means that such references are an error.
type Finders struct {
	URL        Finder // url, and packages with a URL
	Apt        Finder
	Debuginfod Finder
}

// Find finds what a reference stands for. A reference to a local file is answered without a finder.
func (f Finders) Find(ctx context.Context, ref Ref) (Origin, error) {
	finder := f.URL
	switch ref.Kind {
	case KindApt:
		finder = f.Apt
	case KindDebuginfod:
		finder = f.Debuginfod
	case KindDeb, KindRPM:
		if ref.Where == input.Stdin {
			return new(standardInput), nil
		}
		if !input.IsURL(ref.Where) {
			return localFile(ref.Where), nil
		}
	case KindURL:
	default:
		return nil, fmt.Errorf("%s is not a kind of source", ref.Kind)
	}
	if finder == nil {
		return nil, fmt.Errorf("%s: %w", ref, ErrOffline)
	}
	return finder.Find(ctx, ref)
}

// ErrOffline says that a reference needs a network, and that there is no finder for it.
var ErrOffline = errors.New("this needs a network, which the command does not use")

// A localFile is the Origin of a regular file: its path.
type localFile string

func (p localFile) Facts() Facts { return Facts{Path: string(p), Size: File(p).Size()} }

func (p localFile) String() string { return string(p) }

// Open opens the file.
func (p localFile) Open(context.Context) (*Blob, error) {
	f, st, err := input.OpenRaw(string(p))
	if err != nil {
		return nil, err
	}
	return &Blob{At: f, Size: st.Size(), Info: st, Release: f.Close, Changed: func() error { return input.Changed(f, st) }}, nil
}

// ParseRef reads a reference as it is written on the command line: KIND=WHERE, or apt=SUITE/ARCH/PACKAGE.
func ParseRef(text string) (Ref, error) {
	kind, where, ok := strings.Cut(text, "=")
	ref := Ref{Kind: Kind(kind), Where: where}
	if !ok || where == "" {
		return ref, fmt.Errorf("%s is not KIND=WHERE, such as deb=PACKAGE", text)
	}
	switch ref.Kind {
	case KindDeb, KindRPM:
	case KindURL:
		if !input.IsURL(where) {
			return ref, fmt.Errorf("%s is not a URL", where)
		}
	case KindDebuginfod:
		if _, err := hex.DecodeString(where); err != nil {
			return ref, fmt.Errorf("%s is not a build id in hexadecimal", where)
		}
		ref.Where = strings.ToLower(where)
	case KindApt:
		i, j := strings.IndexByte(where, '/'), strings.LastIndexByte(where, '/')
		if i <= 0 || j <= i+1 || j == len(where)-1 { // a suite may contain slashes, as in bookworm/updates
			return ref, fmt.Errorf("%s is not SUITE/ARCH/PACKAGE", where)
		}
		rest, pkg := where[:j], where[j+1:]
		k := strings.LastIndexByte(rest, '/')
		ref.Where, ref.Apt = "", AptRef{Suite: rest[:k], Arch: rest[k+1:], Package: pkg}
	default:
		return ref, fmt.Errorf("%s is not one of deb, rpm, url, apt, debuginfod", kind)
	}
	return ref, nil
}
