package corpus

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
	_ "github.com/btfbatch/btfbatch/encoder/input/codecs" // images may be compressed
)

// A File is the file of an image: where it comes from, what it is expected to be, and, once it has been opened, what it is.
type File struct {
	Source source.Source
	Path   string // in the file system; files with debug information are searched for beside it; empty unless the image is a file of its own
	Origin Origin // where the image comes from, if it is not a file of its own
	Pins   Pins
	Size   int64 // bytes that are stored; 0 if unknown

	// What the file is. Open sets these, as far as it gets.
	Arch     string // normalised name, see config.ArchNames
	BuildID  string // lower-case hex; empty if the file has none
	Identity Identity

	// Was is what a lock has for the image that is not in force; nil without one.
	Was *Locked

	named      string // what errors of opening begin with; empty if the name of the image says it
	order      binary.ByteOrder
	identified bool // the identity could be read
}

// Pins are what a manifest says about the file of an image. An empty field says nothing.
type Pins struct {
	SHA256  string // lower-case hex
	BuildID string // lower-case hex
	Arch    string // normalised name
	Kind    config.Kind
	Release string // path.Match pattern
	// IsRelease is the release that the image has by its path in a package. An image that states none is accepted.
	IsRelease string
	// Lock is what a lock has for the image, which must be this one; nil without a lock. SHA256 is then that of the lock.
	Lock *Locked
}

// A Locked is what a lock says about an image, besides its digest.
type Locked struct {
	BuildID string // lower-case hex; empty: the image has none
	Release string // empty: the image states none
	Arch    string
	Version string // of the package; empty if it is not in one
	Size    int64  // of a file of its own, as stored; 0 for an image of a package or a server
	Source  int64  // bytes of the package, or of the file on a server; 0 for a file of its own
}

// Departures lists in what an opened image differs from a lock. The errors are of type *MismatchError.
func (f *File) Departures(l *Locked) (list []error) {
	size := f.Size
	if f.Path == "" {
		size = 0
	}
	for _, x := range []MismatchError{
		{"arch", f.Arch, l.Arch, true}, {"build_id", f.BuildID, l.BuildID, true}, {"release", f.Identity.Release, l.Release, true},
		{"version", f.Origin.Version, l.Version, true}, {"size", strconv.FormatInt(size, 10), strconv.FormatInt(l.Size, 10), true},
	} {
		if x.Found != x.Pinned {
			list = append(list, &x)
		}
	}
	return list
}

// asLocked returns an error if an opened image is not the one of the lock.
func (f *File) asLocked() error {
	if f.Pins.Lock == nil {
		return nil
	}
	return errors.Join(f.Departures(f.Pins.Lock)...)
}

// An Origin says which package a file is in, or which server it is from.
type Origin struct {
	source.Facts
	Member string // path in the package; empty for a file that is not in one

	Ref source.Ref // what it was found by
}

// Pinned reports whether the digest of the package, or of the file on a server, is pinned.
func (o *Origin) Pinned() bool { return o.Ref.SHA256 != "" }

// FileAt is the file at a path of the file system.
func FileAt(path string, pins Pins) File {
	s := source.File(path)
	return File{Source: s, Path: path, Pins: pins, Size: s.Size()}
}

// CheckMember returns an error for a pattern of a file in a package that is not valid. An empty one stands for the kernel.
func CheckMember(pattern string) error { return source.CheckMember(pattern) }

// Where says where the image comes from, for messages: its path, or its package and its path in it.
func (f *File) Where() string {
	if f.Source == nil {
		return ""
	}
	return f.Source.String()
}

// pinsOf are the pins of an image in a manifest.
func pinsOf(im *config.Image) Pins {
	p := Pins{SHA256: im.SHA256, BuildID: im.BuildID, Arch: im.Arch, Kind: im.Kind, Release: im.Release}
	if im.From != nil && im.From.Kind == config.FromDebuginfod && p.BuildID == "" {
		p.BuildID = im.From.Where
	}
	return p
}

// An Image is the open file of an image. Whatever is known of the image, its digest included, comes from this file.
type Image struct {
	*elf.File
	Input *input.File
}

// Open opens the file and compares it with all pins but the digest, which Hasher.Pin does because it has to read the whole file. The caller
// keeps the file open for as long as it works on the image: a second Open may return a different file.
func (f *File) Open(ctx context.Context) (*Image, error) {
	in, err := f.Source.Open(ctx)
	if err != nil {
		if f.named != "" && ctx.Err() == nil {
			err = input.Named(f.named, err)
		}
		return nil, err
	}
	image, err := f.look(in)
	if err != nil {
		err = cmp.Or(in.Unchanged(), err)
		in.Close()
		return nil, err
	}
	return image, nil
}

// look reads the headers, the notes and the identity.
func (f *File) look(in *input.File) (*Image, error) {
	e, err := elf.FromInput(in)
	if err != nil {
		return nil, err
	}
	e.Path = f.Path
	_, f.Size = in.Raw()
	f.order = e.Order
	arch := archOf(e)
	if want := f.Pins.Arch; want != "" && want != arch {
		return nil, archError(arch, want, "the manifest says")
	}
	f.Arch = arch
	id, err := e.BuildID()
	if err != nil {
		return nil, err
	}
	f.BuildID = hex.EncodeToString(id)
	if want := f.Pins.BuildID; want != "" && want != f.BuildID {
		return nil, &MismatchError{What: "build_id", Found: f.BuildID, Pinned: want}
	}
	if f.Identity, err = Identify(e); err == nil { // the encoder reports damage
		f.identified = true
	}
	if err := cmp.Or(f.asLocked(), f.Identity.check(&f.Pins)); err != nil {
		return nil, err
	}
	return &Image{e, in}, nil
}

// Known is what Open finds out about a file, in a form that can be stored. It depends on nothing but the contents of the file.
type Known struct {
	Arch       string   `json:"arch"`
	BuildID    string   `json:"build_id"`
	Identity   Identity `json:"identity"`
	BigEndian  bool     `json:"big_endian"`
	Identified bool     `json:"identified"`
}

// Known returns what Open found out.
func (f *File) Known() Known {
	return Known{f.Arch, f.BuildID, f.Identity, f.order == binary.ByteOrder(binary.BigEndian), f.identified}
}

// Recognise sets what Open would find out about the file, and compares it with the pins in the way of Open, without opening the file.
func (f *File) Recognise(k Known) error {
	f.Arch, f.BuildID, f.Identity, f.identified = k.Arch, k.BuildID, k.Identity, k.Identified
	f.order = binary.LittleEndian
	if k.BigEndian {
		f.order = binary.BigEndian
	}
	if want := f.Pins.Arch; want != "" && want != k.Arch {
		return archError(k.Arch, want, "the manifest says")
	}
	if want := f.Pins.BuildID; want != "" && want != k.BuildID {
		return &MismatchError{What: "build_id", Found: k.BuildID, Pinned: want}
	}
	return cmp.Or(f.asLocked(), f.Identity.check(&f.Pins))
}
