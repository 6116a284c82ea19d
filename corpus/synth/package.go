package synth

import (
	"archive/tar"
	"bytes"
	"crypto/md5" //nolint:gosec // the digest that Debian packages have
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"strings"

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

// Deb returns a Debian package whose data member has the given name and contents. Its list of files is empty.
func Deb(name string, data []byte) []byte { return DebOf("", name, data) }

// DebOf is Deb with a list of files, as md5sum prints it.
func DebOf(sums, name string, data []byte) []byte {
	control := []Entry{{Name: "./control", Body: []byte("Package: sample\nVersion: 1:6.1-2~x\nArchitecture: amd64\n")}}
	if sums != "" {
		control = append(control, Entry{Name: "./md5sums", Body: []byte(sums)})
	}
	out := []byte("!<arch>\n")
	for _, m := range []struct {
		name string
		body []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar", Tar(control...)}, {name, data}} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.body))
		if out = append(out, m.body...); len(out)%2 != 0 {
			out = append(out, '\n')
		}
	}
	return out
}

// Sums returns the list that a Debian package has of its regular files.
func Sums(entries ...Entry) string {
	var b strings.Builder
	for _, e := range entries {
		if e.Link == "" && e.Type == 0 {
			fmt.Fprintf(&b, "%x  %s\n", md5.Sum(e.Body), strings.TrimPrefix(e.Name, "./")) //nolint:gosec // as above
		}
	}
	return b.String()
}

// Cpio returns an archive of the entries in the "new ASCII" format of cpio, as RPM packages have it. Names get a leading dot and slash.
func Cpio(entries ...Entry) []byte {
	var b []byte
	for i, e := range append(entries, Entry{Name: "TRAILER!!!"}) {
		mode, body, name := 0o100644, e.Body, "./"+strings.TrimPrefix(e.Name, "./")
		switch {
		case i == len(entries):
			mode, name = 0, e.Name
		case e.Type == '5':
			mode = 0o040755
		case e.Type == '3':
			mode = 0o020644
		case e.Link != "":
			mode, body = 0o120777, []byte(e.Link)
		}
		b = fmt.Appendf(b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", i, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(name)+1, 0)
		b = pad4(append(append(b, name...), 0))
		b = pad4(append(b, body...))
	}
	return b
}

func pad4(b []byte) []byte {
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// RPM returns an RPM package whose archive has the given contents. Its headers list the entries.
func RPM(archive []byte, entries ...Entry) []byte {
	var h rpmHeader
	h.text(1000, 6, "sample")
	h.text(1001, 6, "6.1")
	h.text(1002, 6, "2.fc40")
	h.numbers(1003, 4, 1)
	h.text(1022, 6, "x86_64")
	var sizes, modes, indexes []uint32
	var names, links []string
	for _, e := range entries {
		mode, size := uint32(0o100644), len(e.Body)
		switch {
		case e.Type == '5':
			mode = 0o040755
		case e.Type == '3':
			mode = 0o020644
		case e.Link != "":
			mode, size = 0o120777, len(e.Link)
		}
		names, links = append(names, strings.TrimPrefix(e.Name, "./")), append(links, e.Link)
		sizes, modes, indexes = append(sizes, uint32(size)), append(modes, mode), append(indexes, 0)
	}
	h.numbers(1028, 4, sizes...)
	h.numbers(1030, 3, modes...)
	h.text(1036, 8, links...)
	h.numbers(1116, 4, indexes...)
	h.text(1117, 8, names...)
	h.text(1118, 8, "/")
	h.text(1124, 6, "cpio")
	lead := make([]byte, 96)
	copy(lead, "\xed\xab\xee\xdb\x03\x00")
	out := append(lead, new(rpmHeader).bytes()...)
	return append(append(out, h.bytes()...), archive...)
}

// A rpmHeader is the header of an RPM package. Its numbers are big-endian.
type rpmHeader struct{ index, data []byte }

func (h *rpmHeader) add(tag, kind uint32, count int) {
	for _, v := range []uint32{tag, kind, uint32(len(h.data)), uint32(count)} {
		h.index = binary.BigEndian.AppendUint32(h.index, v)
	}
}

func (h *rpmHeader) text(tag, kind uint32, list ...string) {
	h.add(tag, kind, len(list))
	for _, s := range list {
		h.data = append(append(h.data, s...), 0)
	}
}

func (h *rpmHeader) numbers(tag, kind uint32, list ...uint32) {
	h.data = pad4(h.data)
	h.add(tag, kind, len(list))
	for _, v := range list {
		if kind == 3 {
			h.data = binary.BigEndian.AppendUint16(h.data, uint16(v))
		} else {
			h.data = binary.BigEndian.AppendUint32(h.data, v)
		}
	}
}

func (h *rpmHeader) bytes() []byte {
	out := []byte("\x8e\xad\xe8\x01\x00\x00\x00\x00")
	out = binary.BigEndian.AppendUint32(out, uint32(len(h.index)/16))
	out = binary.BigEndian.AppendUint32(out, uint32(len(h.data)))
	return append(append(out, h.index...), h.data...)
}

// must panics: what is written to memory cannot fail.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// BzImage returns a kernel of x86 as it boots, with a payload that is a compressed kernel of the given size in bytes. The size is appended as
// kernel builds do, except for gzip.
func BzImage(payload []byte, size int) []byte {
	if !bytes.HasPrefix(payload, []byte("\x1f\x8b")) {
		payload = binary.LittleEndian.AppendUint32(bytes.Clone(payload), uint32(size))
	}
	const sectors, offset = 3, 0x100 // sectors in front of the kernel; offset of the payload in it
	b := make([]byte, (sectors+1)*512+offset)
	b[0x1f1] = sectors
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint16(b[0x206:], 0x20f) // version of the boot protocol
	binary.LittleEndian.PutUint32(b[0x248:], offset)
	binary.LittleEndian.PutUint32(b[0x24c:], uint32(len(payload)))
	b = append(b, payload...)
	return append(b, "code after the payload"...)
}
