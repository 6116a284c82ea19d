package batch

import (
	"archive/tar"
	"bufio"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/encoder/input"
)

// writeArchive writes a tar archive with one file, as hubs of BTF have it: time 0, mode 0444, owner root. It is compressed as its path says.
// The same data gives the same bytes everywhere.
func writeArchive(w io.Writer, path, member string, data []byte) error {
	z, err := archivePacker(w, input.Archive(path))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	err = t.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: member, Size: int64(len(data)), Mode: 0o444, ModTime: time.Unix(0, 0), Uname: "root", Gname: "root",
	})
	if err == nil {
		_, err = t.Write(data)
	}
	return errors.Join(err, t.Close(), z.Close())
}

// archivePacker compresses an archive.
func archivePacker(w io.Writer, packed string) (io.WriteCloser, error) {
	if packed != "xz" {
		return input.NewPacker(w, packed)
	}
	b := bufio.NewWriterSize(w, 64<<10) // the library writes single bytes
	z, err := xz.WriterConfig{DictCap: 8 << 20, CheckSum: xz.CRC64}.NewWriter(b)
	return &flushed{z, b}, err
}

// A flushed writes what is buffered when it is closed.
type flushed struct {
	io.WriteCloser
	b *bufio.Writer
}

func (f *flushed) Close() error { return errors.Join(f.WriteCloser.Close(), f.b.Flush()) }

// archiveMember is the name of the file in an archive: RELEASE.btf for a kernel, whose release consumers look for; for any other image the name of the
// archive without its extensions, with .btf.
func (t *target) archiveMember() string {
	if id := t.File.Identity; string(id.Kind) == "kernel" && id.Release != "" && filepath.Base(id.Release) == id.Release {
		return id.Release + ".btf"
	}
	name := filepath.Base(t.Outputs.Archive)
	for _, end := range input.Archives() {
		if len(name) > len(end) && strings.EqualFold(name[len(name)-len(end):], end) {
			name = name[:len(name)-len(end)]
		}
	}
	return strings.TrimSuffix(name, ".btf") + ".btf"
}
