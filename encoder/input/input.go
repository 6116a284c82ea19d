package input

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Stdin is the path that stands for the standard input, and among outputs for the standard output.
const Stdin = "-"

// A File is an open file, or the contents of one that was compressed or came through a pipe.
type File struct {
	io.ReaderAt
	Size   int64
	Kind   Kind
	Packed string      // how the contents were packed: "gzip", "xz, tar"; empty where the file is plain
	Info   fs.FileInfo // of a regular file, as it was when it was opened; nil for others

	whole []byte   // the contents, unless they are those of an ELF file
	file  *os.File // nil unless it is a regular file
	outer *Outer   // what it is stored in, or nil
	end   func() error
	maps  [][]byte // see Mapped

	opened time.Time
}

// Open opens a file. A file that is compressed, or that cannot be sought in, is read whole. If want is given, contents of other kinds
// are not read, and the error is a *KindError, which names the first of these kinds as the wanted one. Errors of this package name the
// path only if there is no such file; see Named.
func Open(path string, want ...Kind) (*File, error) { return open(path, (*File).read, want...) }

// OpenUnread is Open for a file of which only a part is read, by ReadAt or Mapped: a plain file is not read, whatever its kind is.
func OpenUnread(path string, want ...Kind) (*File, error) {
	return open(path, func(f *File, s *Stream) error {
		if s.Packed != "" || s.size == 0 {
			return f.read(s)
		}
		f.ReaderAt, f.Size = s.file, s.size
		return s.fits()
	}, want...)
}

// open is Open, with a function that reads the contents.
func open(path string, read func(f *File, s *Stream) error, want ...Kind) (*File, error) {
	s, err := OpenStream(path, want...)
	if err != nil {
		return nil, err
	}
	f := &File{Kind: s.Kind, Packed: s.Packed, opened: time.Now()}
	if s.size > 0 {
		f.Info, f.file = s.info, s.file
	}
	if err := read(f, s); err != nil {
		s.Close()
		return nil, err
	}
	if f.file == nil {
		return f, s.Close()
	}
	s.end() // the file stays open
	return f, nil
}

// read reads the contents, unless they can be read in place.
func (f *File) read(s *Stream) (err error) {
	switch {
	case s.Packed == "" && s.Kind == ELF && s.size > 0:
		f.ReaderAt, f.Size = cached(s.file), s.size
	case s.Kind == ELF:
		c, err := readChunks(s)
		f.ReaderAt, f.Size = &c, c.size
		return err
	default:
		f.whole, err = s.all()
		f.ReaderAt, f.Size = bytes.NewReader(f.whole), int64(len(f.whole))
	}
	return err
}

// Close closes the file. Bytes that were read stay valid, and mapped ones do not.
func (f *File) Close() error {
	for _, m := range f.maps {
		unmap(m)
	}
	f.maps = nil
	if f.end != nil {
		return f.end()
	}
	if f.file == nil || f.file == os.Stdin {
		return nil
	}
	return f.file.Close()
}

// Bytes returns the contents.
func (f *File) Bytes() ([]byte, error) {
	if f.whole != nil || f.Size == 0 {
		return f.whole, nil
	}
	if f.Size > maxOther {
		return nil, tooLong(maxOther)
	}
	b := make([]byte, f.Size)
	_, err := f.ReadAt(b, 0)
	return b, err
}

// Read reads a file of one of the wanted kinds, see Open. Errors name the path.
func Read(path string, want ...Kind) ([]byte, error) {
	f, err := Open(path, want...)
	if err != nil {
		return nil, Named(path, err)
	}
	defer f.Close()
	b, err := f.Bytes()
	return b, Named(path, err)
}

// OpenText opens a text to be parsed. Contents that are certainly not text are an error that says what they are. The caller bounds what it
// reads. Errors name the path.
func OpenText(path string, want Kind) (*Stream, error) {
	s, err := OpenStream(path)
	if err != nil {
		return nil, Named(path, err)
	}
	if s.Kind.binary() {
		err = s.Not(want)
		s.Close()
		return nil, Named(path, err)
	}
	return s, nil
}

// ReadText reads a text to be parsed. It reads at most limit+1 bytes. Contents that are certainly not text are an error that says what
// they are. All others are returned: the parser reports the place of an error.
func ReadText(path string, want Kind, limit int64) ([]byte, error) {
	s, err := OpenText(path, want)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	b, err := io.ReadAll(io.LimitReader(s, limit+1))
	return b, Named(path, err)
}

// Named adds the path to an error that does not name it.
func Named(path string, err error) error {
	var p *fs.PathError
	var m *ModeError
	switch {
	case err == nil, errors.As(err, &p), errors.As(err, &m), strings.HasPrefix(err.Error(), path+": "):
		return err
	case path == Stdin:
		path = "standard input"
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Stat is os.Stat with a hint in the error if the path is a URL or a pattern, or begins with ~.
func Stat(path string) (fs.FileInfo, error) {
	st, err := os.Stat(path)
	return st, explain(path, err)
}

// Regular returns the size of a regular file. Other files are an error before they are opened, since opening a pipe would wait.
func Regular(path string) (int64, error) {
	st, err := Stat(path)
	if err != nil {
		return 0, err
	}
	if !st.Mode().IsRegular() {
		return 0, &ModeError{path, st.Mode(), "give a regular file"}
	}
	return st.Size(), nil
}

// A ModeError says that a path leads to something that cannot be read as a file.
type ModeError struct {
	Path string
	Mode fs.FileMode
	Hint string
}

func (e *ModeError) Error() string {
	what := "a special file"
	switch t := e.Mode.Type(); {
	case t&fs.ModeDir != 0:
		what = "a folder"
	case t&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case t&fs.ModeSocket != 0:
		what = "a socket"
	case t&fs.ModeDevice != 0:
		what = "a device"
	}
	return fmt.Sprintf("%s is not a regular file but %s: %s", e.Path, what, e.Hint)
}

// URLPattern is a regular expression for paths that look like URLs.
const URLPattern = `(^|/)[a-zA-Z][a-zA-Z0-9+.-]+:/`

var urlLike = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(URLPattern) })

// IsURL reports whether a path looks like a URL, perhaps one that was joined to a folder.
func IsURL(path string) bool { return urlLike().MatchString(path) }

// explain adds a hint to the error for a path that does not exist.
func explain(path string, err error) error {
	var p *fs.PathError
	if err == nil || !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &p) {
		return err
	}
	hint := ""
	switch {
	case IsURL(path):
		hint = "this is a URL: download the file first"
	case path == "~" || strings.HasPrefix(path, "~/") || strings.Contains(path, "/~/"):
		hint = "only the shell replaces ~: give the whole path"
	case strings.ContainsAny(path, "*?["):
		hint = "patterns are allowed in manifests only: give one file"
	default:
		return err
	}
	return &fs.PathError{Op: p.Op, Path: p.Path, Err: fmt.Errorf("%w (%s)", p.Err, hint)}
}

func isNull(st fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(null, st)
}

// openFile opens a file or pipe. size is 0 if it is only known after reading; otherwise st is that of the open file.
func openFile(path string) (f *os.File, st fs.FileInfo, size int64, err error) {
	if f, size, err = openAny(path); err == nil && size > 0 {
		if st, err = f.Stat(); err != nil {
			f.Close()
		} else {
			size = st.Size()
		}
	}
	return f, st, size, err
}

func openAny(path string) (f *os.File, size int64, err error) {
	if path == Stdin {
		st, err := os.Stdin.Stat()
		switch {
		case err != nil:
			return nil, 0, err
		case st.Mode()&fs.ModeType != 0 && st.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) == 0:
			return nil, 0, &ModeError{"standard input", st.Mode(), "give a file or a pipe"}
		case st.Mode().IsRegular():
			if at, err := os.Stdin.Seek(0, io.SeekCurrent); err == nil && at == 0 {
				size = st.Size()
			}
		}
		return os.Stdin, size, nil
	}
	st, err := Stat(path)
	if err != nil {
		return nil, 0, err
	}
	switch t := st.Mode().Type(); {
	case t == 0:
		size = st.Size()
	case t&fs.ModeDir != 0:
		return nil, 0, &ModeError{path, st.Mode(), "give a file inside; for many images there are manifests (btfbatch run)"}
	case t&fs.ModeNamedPipe == 0 && !isNull(st): // which is as good as an empty file
		return nil, 0, &ModeError{path, st.Mode(), "give a file or a pipe"}
	}
	f, err = os.Open(path)
	if errors.Is(err, syscall.ENXIO) {
		return nil, 0, &ModeError{path, st.Mode(), "give a file or a pipe"}
	}
	return f, size, err
}
