package vars

import (
	"fmt"
	"path"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A Reason says why a variable is not a VAR.
type Reason uint8

// The reasons, in the order in which they are checked (rule 02/6.1).
const (
	Kept Reason = iota
	NotTopLevel
	Artificial
	OtherSection
	Unnamed
	NotAVariable
	NoSymbol
	ZeroAddress
	Excluded
	InvalidName
	VoidType
	ZeroSize
	OffsetTooBig
	Duplicate
	NumReasons
)

// reasons has the name of the rule behind each reason, and the reason in words. If a section rule of the manifest causes it, the
// name is the manifest's word.
var reasons = [NumReasons]struct{ rule, text string }{
	Kept:         {"kept", "kept"},
	NotTopLevel:  {"top-level", "declared inside a function or namespace"},
	Artificial:   {"artificial", "made by the compiler"},
	OtherSection: {"section", "lies in another section first"},
	Unnamed:      {"unnamed", "has no name"},
	NotAVariable: {"reserved-name", "no variable by its name"},
	NoSymbol:     {"non-allocated", "owns no storage in the section"},
	ZeroAddress:  {"zero-address", "symbol value is 0"},
	Excluded:     {"symbol-pattern", "excluded by its name"},
	InvalidName:  {"valid-name", "name is not valid in BTF"},
	VoidType:     {"sized-type", "has type void"},
	ZeroSize:     {"sized-type", "has size 0 or over 4 GiB"},
	OffsetTooBig: {"offset", "section offset is over 4 GiB"},
	Duplicate:    {"unique", "a strong definition of that offset exists"},
}

func (r Reason) String() string { return reasons[r].text }

// Rule returns the name of the rule because of which a variable is not a VAR.
func (r Reason) Rule() string { return reasons[r].rule }

// A Decision is the outcome for one variable.
type Decision struct {
	Name    string
	Section string
	Addr    uint64 // as in DWARF
	Offset  uint64 // in the section
	Size    uint64 // in bytes
	Reason  Reason
}

// Stats count the decisions.
type Stats struct {
	Emitted  int
	Datasecs int
	Dropped  [NumReasons]int
}

type secinfo struct {
	id           btf.ID
	offset, size uint32
	weak         bool
	decision     int32 // index in Collector.decisions, -1 if none are kept
}

// A Collector appends VARs CU by CU and DATASECs at the end.
type Collector struct {
	s         *Sections
	infos     [][]secinfo // by section index
	stats     Stats
	decisions []Decision
	same      map[btf.ID]btf.ID
	// Explain keeps the decision about every variable.
	Explain bool
	// Apart, if it is not nil, keeps the strings of variables apart from all others, and says where they are.
	Apart *Apart
}

// NewCollector returns a collector for the variables of the wanted sections.
func NewCollector(s *Sections) *Collector {
	return &Collector{s: s, infos: make([][]secinfo, len(s.list))}
}

// Judge sets the symbols by which the variables of the following units are judged. The sections must be the same as before.
func (c *Collector) Judge(s *Sections) { c.s = s }

// Add appends the VARs of a unit, each followed by its declaration tags. mapID turns local ids into ids of the object.
func (c *Collector) Add(o *btf.Object, t *translate.Unit, mapID func(local translate.LocalID) btf.ID) error {
	var scratch [4]byte
	for i := range t.Vars {
		v := &t.Vars[i]
		name := t.Strings.Get(v.Name, &scratch)
		sec, reason := c.judge(v, name)
		if err := c.fatal(name, reason); err != nil {
			return t.Place.Err(int(v.Off), "%v", err)
		}
		decision := c.tell(v, name, sec, reason)
		if reason != Kept {
			c.stats.Dropped[reason]++
			continue
		}
		c.stats.Emitted++
		linkage := uint32(btf.LinkageStatic)
		if v.External {
			linkage = btf.LinkageGlobal
		}
		id := o.Append(c.string(o, sec, name), btf.Info(btf.KindVar, 0, false), uint32(mapID(v.Type)), linkage)
		c.infos[sec.elf.Index] = append(c.infos[sec.elf.Index], secinfo{id: id, offset: uint32(v.Addr - sec.elf.Addr),
			size: uint32(v.Size), weak: c.s.weak(v, sec), decision: decision})
		for _, tag := range translate.TagsOf(t.VarTags, v.Off) {
			if t.Strings.Empty(tag.Value) {
				return t.Place.Err(int(v.Off), "declaration tag of variable %s has no text", name)
			}
			o.Append(c.string(o, sec, t.Strings.Get(tag.Value, &scratch)), btf.Info(btf.KindDeclTag, 0, false), uint32(id), uint32(tag.Component))
		}
	}
	return nil
}

// string returns the offset of a string of the record that is appended next, which is about a variable of that section.
func (c *Collector) string(o *btf.Object, sec *section, text []byte) uint32 {
	if c.Apart != nil {
		c.Apart.strings = append(c.Apart.strings, apart{o.End(), sec, string(text)})
		return 0
	}
	return o.Strings.Add(text)
}

// fatal returns the error for a variable that BTF cannot name or type, unless encode_force skips it.
func (c *Collector) fatal(name []byte, reason Reason) error {
	if c.s.opt.Force {
		return nil
	}
	switch reason {
	case InvalidName:
		return fmt.Errorf("variable name %q is not valid in BTF", name)
	case VoidType:
		if !c.s.opt.voidIsSizeZero() {
			return fmt.Errorf("variable %s has type void", name)
		}
	}
	return nil
}

// tell keeps the decision about a variable, and returns its index.
func (c *Collector) tell(v *translate.Var, name []byte, sec *section, reason Reason) int32 {
	if !c.Explain {
		return -1
	}
	d := Decision{Name: string(name), Addr: v.Addr, Size: v.Size, Reason: reason}
	if sec != nil {
		d.Section, d.Offset = sec.elf.Name, v.Addr-sec.elf.Addr
	}
	c.decisions = append(c.decisions, d)
	return int32(len(c.decisions) - 1)
}

// Decisions returns what Explain collected, in the order of the variables. It is complete after Finish.
func (c *Collector) Decisions() []Decision { return c.decisions }

// Same maps VARs to other VARs of the same variable, into which they must be merged. Finish fills it.
func (c *Collector) Same() map[btf.ID]btf.ID { return c.same }

// judge checks the rules in order.
func (c *Collector) judge(v *translate.Var, name []byte) (*section, Reason) {
	if v.Inner {
		return nil, NotTopLevel
	}
	if v.Artificial {
		return nil, Artificial
	}
	sec := c.s.sectionOf(v.Addr)
	if sec == nil || !sec.wanted {
		return sec, OtherSection
	}
	if len(name) == 0 {
		if sec.rule != nil && !sec.rule.Unnamed {
			return sec, InvalidName
		}
		return sec, Unnamed
	}
	var reason Reason
	if c.s.opt.Peer.Has(rules.JudgePeer) {
		reason = c.judgePeer(v, name, sec)
	} else {
		reason = c.judgeRule(v, name, sec)
	}
	if reason != Kept {
		return sec, reason
	}
	switch {
	case !c.s.opt.validName(name):
		return sec, InvalidName
	case v.Type == 0:
		return sec, VoidType
	case v.Size == 0 || v.Size > 1<<32-1:
		return sec, ZeroSize
	case v.Addr-sec.elf.Addr > 1<<32-1:
		return sec, OffsetTooBig
	}
	return sec, Kept
}

// judgeRule checks what a variable is: whether a symbol of the section owns bytes at its address. At address 0, to which the
// variables of discarded sections are moved, the symbol must also have the variable's name.
func (c *Collector) judgeRule(v *translate.Var, name []byte, sec *section) Reason {
	r := sec.rule
	for _, glob := range r.SymbolGlobs {
		if ok, _ := path.Match(glob, string(name)); ok {
			return Excluded
		}
	}
	if r.NonAllocated && !(v.Addr != 0 && c.s.owned(sec.elf, v.Addr) || v.Addr == 0 && c.s.namedAtZero(sec.elf, name)) {
		return NoSymbol
	}
	if r.ZeroAddress && v.Addr == 0 && sec.elf.Addr == 0 {
		return ZeroAddress
	}
	return Kept
}

// Retype maps the types of a unit's VARs again. first is at most the id of its first VAR.
func (c *Collector) Retype(o *btf.Object, first btf.ID, t *translate.Unit, mapID func(local translate.LocalID) btf.ID) error {
	var scratch [4]byte
	for i := range t.Vars {
		v := &t.Vars[i]
		if _, reason := c.judge(v, t.Strings.Get(v.Name, &scratch)); reason != Kept {
			continue
		}
		for first < o.End() && o.At(first).Kind() != btf.KindVar {
			first++
		}
		if first == o.End() {
			return t.Place.Err(int(v.Off), "internal error: the variable has no VAR")
		}
		o.At(first)[2] = uint32(mapID(v.Type))
		first++
	}
	return nil
}

// Renumber maps every id in the entries.
func (c *Collector) Renumber(move func(id btf.ID) btf.ID) {
	for _, infos := range c.infos {
		for i := range infos {
			infos[i].id = move(infos[i].id)
		}
	}
	c.Apart.renumber(move)
}
