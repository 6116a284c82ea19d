package synth

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/crc64"

	"github.com/ulikunitz/xz/lzma"
)

// A Entry is a file of a package.
type Entry struct {
	Name string
	Body []byte
	Link string // the target of a symbolic link
	Type byte   // of tar; 0 is a regular file, or a link if there is a target
}

// Tar returns a tar archive of the entries, in order.
func Tar(entries ...Entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range entries {
		h := &tar.Header{Name: m.Name, Linkname: m.Link, Typeflag: m.Type, Mode: 0o644, Size: int64(len(m.Body)), Format: tar.FormatGNU}
		if m.Link != "" && m.Type == 0 {
			h.Typeflag = tar.TypeSymlink
		}
		must(w.WriteHeader(h))
		_, err := w.Write(m.Body)
		must(err)
	}
	must(w.Close())
	return b.Bytes()
}

// XZ compresses data into xz blocks of the given size, each with both sizes in its header, as xz with several threads does.
func XZ(data []byte, block int) []byte {
	flags := []byte{0, 4} // CRC64
	out := append([]byte("\xfd7zXZ\x00"), flags...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(flags))
	var records []byte
	n := uint64(0)
	for rest := data; len(rest) > 0; n++ {
		one := rest[:min(block, len(rest))]
		rest = rest[len(one):]
		packed := lzma2(one)
		head := binary.AppendUvarint(binary.AppendUvarint([]byte{0, 0xc0}, uint64(len(packed))), uint64(len(one)))
		head = append(head, 0x21, 1, 22) // LZMA2, 8 MiB
		for len(head)%4 != 0 {
			head = append(head, 0)
		}
		head[0] = byte(len(head) / 4)
		head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(head))
		out = append(append(out, head...), packed...)
		records = binary.AppendUvarint(records, uint64(len(head)+len(packed)+8))
		records = binary.AppendUvarint(records, uint64(len(one)))
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
		out = binary.LittleEndian.AppendUint64(out, crc64.Checksum(one, crc64.MakeTable(crc64.ECMA)))
	}
	index := append(binary.AppendUvarint([]byte{0}, n), records...)
	for len(index)%4 != 0 {
		index = append(index, 0)
	}
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	foot := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	out = append(out, index...)
	out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(foot))
	return append(append(out, foot...), "YZ"...)
}

func lzma2(data []byte) []byte {
	var b bytes.Buffer
	w, err := lzma.Writer2Config{DictCap: max(lzma.MinDictCap, min(len(data), 8<<20))}.NewWriter2(&b)
	must(err)
	_, err = w.Write(data)
	must(err)
	must(w.Close())
	return b.Bytes()
}

// Deb returns a Debian package whose data member has the given name and contents.
func Deb(name string, data []byte) []byte {
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		body []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar", Tar(Entry{Name: "./control", Body: []byte("Package: sample\n")})}, {name, data}} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.body))
		if out = append(out, m.body...); len(out)%2 != 0 {
			out = append(out, '\n')
		}
	}
	return out
}

// must panics: what is written to memory cannot fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
