package input

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// A Stream is a file that is read from front to back, and decompressed on the way. It yields at most as many bytes as its kind may have.
type Stream struct {
	Kind   Kind
	Packed string // as that of File

	r     *bufio.Reader
	first *bufio.Reader // of the file; from windows, or nil
	raw   meter         // what is read from the file
	head  []byte        // the bytes that the kind was recognised by; valid until bytes are read
	file  *os.File
	info  fs.FileInfo // of a regular file
	size  int64       // of a plain regular file, else 0
	limit int64
	given int64 // bytes of contents that were read
	boot  bool  // the BTF of a kernel as it boots is wanted
	ends  []func()
}

// window is the number of bytes by which a kind is recognised.
const window = 64 << 10

// windows has readers that are not in use. A batch opens as many files as it has images, and their windows would be most of its garbage.
var windows = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, window) }}

// layers is how many times a file may be packed: a compressed archive of a compressed file is 3.
const layers = 3

// OpenStream opens a file to be read from front to back. want is as for Open.
func OpenStream(path string, want ...Kind) (*Stream, error) {
	f, st, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s := &Stream{file: f, info: st, size: size, raw: meter{r: inOrder(f, size)}, boot: slices.Contains(want, BTF)}
	s.first, _ = windows.Get().(*bufio.Reader) // it has nothing else
	s.first.Reset(&s.raw)
	s.r = s.first
	if err = s.unpack(); err == nil && len(want) > 0 && !slices.Contains(want, s.Kind) {
		err = s.Not(want[0])
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Decompress returns the contents of what r reads, decompressed as often as they are compressed. Close releases the decompressors, and not r.
// want is as for Open.
func Decompress(r io.Reader, want ...Kind) (*Stream, error) {
	s := &Stream{raw: meter{r: r}, boot: slices.Contains(want, BTF)}
	s.r = bufio.NewReaderSize(&s.raw, window)
	err := s.unpack()
	if err == nil && len(want) > 0 && !slices.Contains(want, s.Kind) {
		err = s.Not(want[0])
	}
	if err != nil {
		s.end()
		return nil, err
	}
	return s, nil
}

// unpack takes off what the contents are packed in, and finds out their kind.
func (s *Stream) unpack() (err error) {
	var packed []string
	for {
		// Four bytes tell an ELF file and BTF, which need no more of the file here.
		s.head, _ = s.r.Peek(len(elfMagic))
		if kind := Recognise(s.head); kind == ELF || kind == BTF {
			break
		}
		if s.head, err = s.r.Peek(window); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		format := packing(s.head)
		if format == nil && s.boot {
			format = booting(s.head)
		}
		if format == nil {
			break
		}
		if len(packed) == layers {
			return fmt.Errorf("%s data in %s data: unpack it first", format.name, strings.Join(packed, ", "))
		}
		packed = append(packed, format.name)
		r, end, err := format.open(s.r)
		if err != nil {
			return within(format.name, err)
		}
		if end != nil {
			s.ends = append(s.ends, end)
		}
		s.r = bufio.NewReaderSize(&layer{r: r, format: format.name, raw: &s.raw}, window)
	}
	s.Kind, s.Packed = Recognise(s.head), strings.Join(packed, ", ")
	s.limit = limitOf(s.Kind)
	return nil
}

// within names the format in an error of its reader.
func within(format string, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s data: %w", format, err)
}

// A layer names the format in the errors of a reader. It yields no more bytes than are plausible for what is stored: most of an Image is passed, so that
// the size of the contents says nothing about it.
type layer struct {
	r      io.Reader
	format string
	raw    *meter // what is stored
	given  int64
}

func (l *layer) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	if l.given += int64(n); uint64(l.given) > Most(uint64(l.raw.n)) {
		return 0, tooDense(l.given, l.raw.n)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = within(l.format, err)
	}
	return n, err
}

// Read reads contents.
func (s *Stream) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	switch s.given += int64(n); {
	case s.given > s.limit:
		return 0, tooLong(s.limit)
	case s.Packed != "" && uint64(s.given) > Most(uint64(s.raw.n)):
		return 0, tooDense(s.given, s.raw.n)
	}
	return n, err
}

// Contents reads all contents, which are not those of an ELF file.
func (s *Stream) Contents() ([]byte, error) { return s.all() }

// all reads all contents.
func (s *Stream) all() ([]byte, error) {
	if s.Packed == "" && s.size > 0 {
		return s.allPlain()
	}
	c, err := readChunks(s)
	if err != nil {
		return nil, err
	}
	return bytes.Join(c.list, nil), nil
}

// allPlain reads a regular file.
func (s *Stream) allPlain() ([]byte, error) {
	if err := s.fits(); err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(make([]byte, 0, s.size+bytes.MinRead))
	_, err := b.ReadFrom(s)
	return b.Bytes(), err
}

// fits returns an error if a regular file is longer than its kind may be.
func (s *Stream) fits() error {
	if s.size > s.limit {
		return tooLong(s.limit)
	}
	if stored := StoredSize(s.info); uint64(s.size) > Most(stored) {
		return tooDense(s.size, int64(stored))
	}
	return nil
}

// Not returns the error for contents that are not of the wanted kind. It must be called before any bytes are read.
func (s *Stream) Not(want Kind) error {
	return &KindError{want, s.Kind, s.Packed, bytes.Clone(s.head[:min(len(s.head), 8)])}
}

// Close closes the file.
func (s *Stream) Close() error {
	s.end()
	if s.file == nil || s.file == os.Stdin {
		return nil
	}
	return s.file.Close()
}

// end releases the decompressor and the window. Nothing can be read after that.
func (s *Stream) end() {
	for _, end := range s.ends {
		end()
	}
	s.ends = nil
	if s.first != nil {
		s.first.Reset(nil)
		windows.Put(s.first)
		s.first, s.head = nil, nil
	}
}

// A format is a way to pack one file.
type format struct {
	name  string
	magic string
	off   int
	open  func(r *bufio.Reader) (inside io.Reader, end func(), err error)
}

var formats = []format{
	{Gzip.Name(), "\x1f\x8b\x08", 0, Gzip.open},
	{Zstd.Name(), zstdMagic, 0, Zstd.open},
	{XZ.Name(), "\xfd7zXZ\x00", 0, XZ.open},
	{Bzip2.Name(), "BZh", 0, Bzip2.open},
	{"tar", "ustar", 257, func(r *bufio.Reader) (io.Reader, func(), error) {
		m := &member{t: tar.NewReader(r)}
		return m, nil, m.first()
	}},
}

const zstdMagic = "\x28\xb5\x2f\xfd"

// packing returns the format that data is packed in, or nil.
func packing(head []byte) *format {
	for i := range formats {
		f := &formats[i]
		if len(head) >= f.off && bytes.HasPrefix(head[f.off:], []byte(f.magic)) {
			return f
		}
	}
	if len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" { // a skippable frame in front of the others
		return &formats[1]
	}
	return nil
}

// A member is the only file of a tar archive.
type member struct {
	t    *tar.Reader
	name string
}

var errMembers = errors.New("the archive holds several files: extract the one you want")

// first goes to the first file.
func (m *member) first() error {
	for {
		h, err := m.t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return errors.New("the archive holds no file")
		case err != nil:
			return err
		case h.Typeflag == tar.TypeReg:
			m.name = h.Name
			return nil
		}
	}
}

func (m *member) Read(b []byte) (int, error) {
	n, err := m.t.Read(b)
	for err == io.EOF { // the end of the member
		h, next := m.t.Next()
		switch {
		case next != nil: // the end of the archive, or an error
			return n, next
		case h.Typeflag == tar.TypeReg:
			return n, fmt.Errorf("%w (it begins with %q and %q)", errMembers, m.name, h.Name)
		}
	}
	return n, err
}
