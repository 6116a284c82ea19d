package verify

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// A lineStyle says how much of a type the kernel prints before its verdict.
type lineStyle uint8

const (
	bareLine  lineStyle = iota // the phrase alone
	idLine                     // [id]
	headLine                   // [id] KIND name
	fullLine                   // [id] KIND name details
	childLine                  // the member or section entry
	lastLine                   // the kernel prints nothing more after its last line
	silent                     // the log is empty
)

// A fault is the raw result of a check, before it becomes a Refusal.
type fault struct {
	rec    *record // nil for header and sections
	child  child   // for childLine
	at     uint32  // offset in the type section, if not that of the record
	where  uint64  // offset in the blob, without a record
	phrase string
	key    string // key in phrases, if it is not the phrase up to its first number
	line   lineStyle
}

func (c *checker) bare(phrase string, at uint64) *Refusal {
	return c.refuse(fault{where: at, phrase: phrase})
}

func (c *checker) plain(r *record, phrase string) *Refusal {
	return c.refuse(fault{rec: r, phrase: phrase, line: idLine})
}

func (c *checker) basic(r *record, phrase string) *Refusal {
	return c.refuse(fault{rec: r, phrase: phrase, line: headLine})
}

func (c *checker) full(r *record, phrase string) *Refusal {
	return c.refuse(fault{rec: r, phrase: phrase, line: fullLine})
}

func (c *checker) inside(r *record, ch child, phrase string) *Refusal {
	return c.refuse(fault{rec: r, child: ch, at: ch.at, phrase: phrase, line: childLine})
}

// refuse makes a Refusal of a fault.
func (c *checker) refuse(f fault) *Refusal {
	e := explain(f)
	out := &Refusal{Path: c.path, Kernel: c.kernel, Errno: e.errno, Offset: f.where, Phrase: f.phrase, Reason: e.why, key: keyOf(f)}
	if f.line >= lastLine {
		out.Phrase = "" // the kernel prints no phrase for this fault
	}
	if f.rec != nil {
		out.TypeID, out.Kind = f.rec.id, f.rec.kind
		if f.rec.name != 0 && c.inStrings(f.rec.name) {
			out.Name = c.text(f.rec.name)
		}
		out.Offset = uint64(c.typesAt) + uint64(max(f.rec.at, f.at))
	}
	line := c.lineText(f)
	line = line[strings.LastIndexByte(line, '\n')+1:] // names may contain line ends
	out.Line = strings.TrimLeft(line, " \t")
	return out
}

func (c *checker) lineText(f fault) string {
	var parts []string
	switch f.line {
	case silent:
		return ""
	case lastLine:
		return c.lastText()
	case idLine:
		return fmt.Sprintf("[%d] %s", f.rec.id, f.phrase)
	case headLine:
		parts = append(parts, c.headText(f.rec))
	case fullLine:
		parts = append(parts, c.typeText(f.rec))
	case childLine:
		parts = append(parts, c.childText(f.rec, f.child))
	}
	return strings.Join(append(parts, f.phrase), " ")
}

// An entry of phrases explains one verdict.
type entry struct {
	phrase string   // up to the first number
	kind   btf.Kind // the kind it applies to; void for all others
	errno  Errno
	why    string
}

// explain returns the entry of a fault. An entry for its kind takes precedence.
func explain(f fault) entry {
	key := keyOf(f)
	general := entry{errno: EINVAL, why: "the kernel does not accept this"}
	for _, e := range phrases {
		if e.phrase != key {
			continue
		}
		if f.rec != nil && e.kind == f.rec.kind {
			return e
		}
		if e.kind == btf.KindVoid {
			general = e
		}
	}
	return general
}

// keyOf returns the key of a fault in phrases.
func keyOf(f fault) string {
	if f.key != "" {
		return f.key
	}
	key := f.phrase
	if i := strings.IndexAny(key, ":#"); i >= 0 {
		key = key[:i]
	}
	return key
}
