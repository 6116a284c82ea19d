package verify

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// The texts of the kernel's log, as rule 05/4 lists them. They are built only after a blob was refused.

// piece cuts a text to the length that the kernel prints in one call.
func piece(s string) string { return s[:min(len(s), textPiece)] }

func (c *checker) nameText(off uint32) string {
	switch {
	case off == 0:
		return "(anon)"
	case !c.inStrings(off):
		return "(invalid-name-offset)"
	}
	return c.text(off)
}

// headText returns the start of the line of a type.
func (c *checker) headText(r *record) string {
	return piece(fmt.Sprintf("[%d] %v %s", r.id, r.kind, c.nameText(r.name)))
}

// typeText returns the complete line of a type.
func (c *checker) typeText(r *record) string {
	return piece(c.headText(r)+" ") + c.detailText(r)
}

func (c *checker) detailText(r *record) string {
	switch r.kind {
	case btf.KindInt:
		i := c.integer(r)
		return fmt.Sprintf("size=%d bits_offset=%d nr_bits=%d encoding=%s", r.third, i.off, i.bits, btf.EncodingText(i.encoding))
	case btf.KindFloat:
		return fmt.Sprintf("size=%d", r.third)
	case btf.KindArray:
		a := c.array(r)
		return fmt.Sprintf("type_id=%d index_type_id=%d nr_elems=%d", a.elem, a.index, a.n)
	case btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindDatasec:
		return fmt.Sprintf("size=%d vlen=%d", r.third, r.vlen)
	case btf.KindFwd:
		if r.kflag {
			return "union"
		}
		return "struct"
	case btf.KindVar:
		return fmt.Sprintf("type_id=%d linkage=%d", r.third, c.word(r.body()))
	case btf.KindDeclTag:
		return fmt.Sprintf("type=%d component_idx=%d", r.third, int32(c.word(r.body())))
	case btf.KindFuncProto:
		return fmt.Sprintf("return=%d args=(%s)", r.third, c.paramText(r))
	}
	return fmt.Sprintf("type_id=%d", r.third)
}

// paramText lists parameters. If there are very many, it lists the first and the last few, while the kernel prints all.
func (c *checker) paramText(r *record) string {
	if r.vlen == 0 {
		return "void"
	}
	const most = 1000
	var b strings.Builder
	for i := uint32(0); i < r.vlen; i++ {
		if i > 0 {
			b.WriteString(", ")
		}
		if r.vlen > most && i == most/2 {
			b.WriteString("..., ")
			i = r.vlen - most/2
		}
		p := c.child(r, i)
		if i == r.vlen-1 && p.b == 0 {
			b.WriteString("vararg")
			break
		}
		b.WriteString(piece(strconv.FormatUint(uint64(p.b), 10) + " " + c.nameText(p.a)))
	}
	return b.String()
}

// childText returns the line of a member, an enumerator or a section entry.
func (c *checker) childText(r *record, ch child) string {
	switch r.kind {
	case btf.KindDatasec:
		return fmt.Sprintf("type_id=%d offset=%d size=%d", ch.a, ch.b, ch.c)
	case btf.KindEnum:
		if r.kflag || !c.gen.unsigned {
			return piece(fmt.Sprintf("%s val=%d", c.nameText(ch.a), int32(ch.b)))
		}
		return piece(fmt.Sprintf("%s val=%d", c.nameText(ch.a), ch.b))
	case btf.KindEnum64:
		v := uint64(ch.c)<<32 | uint64(ch.b)
		if r.kflag {
			return piece(fmt.Sprintf("%s val=%d", c.nameText(ch.a), int64(v)))
		}
		return piece(fmt.Sprintf("%s val=%d", c.nameText(ch.a), v))
	}
	m := memberOf(r, ch)
	if r.kflag {
		return piece(fmt.Sprintf("%s type_id=%d bitfield_size=%d bits_offset=%d", c.nameText(m.name), m.typ, m.bits, m.off))
	}
	return piece(fmt.Sprintf("%s type_id=%d bits_offset=%d", c.nameText(m.name), m.typ, m.off))
}

// lastText returns the last line of the log if all types have passed the meta phase.
func (c *checker) lastText() string {
	r := &c.last
	switch r.kind {
	case btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindDatasec:
		if r.vlen > 0 {
			return c.childText(r, c.child(r, r.vlen-1))
		}
	}
	return c.typeText(r)
}
