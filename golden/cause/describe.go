package cause

import (
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// describe records for every item what changed in the declaration itself. Items without such changes are consequences, if the types that
// they hold explain their whole layout.
func (c *comparer) describe() {
	for i := range c.items {
		it := &c.items[i]
		if it.kind == Pointer {
			continue
		}
		if it.old == 0 || it.new == 0 {
			it.cause = true
			c.alone(it)
			continue
		}
		o, _ := c.old.record(uint32(it.old))
		n, _ := c.new.record(uint32(it.new))
		it.size = c.sizes(it, o, n)
		switch {
		case c.old.isStub(it.old):
			it.cause = true
			it.changes = unexplained(it, "")
			continue
		case o.Kind() != n.Kind() && categoryOf(o) != enumName:
			c.redefined(it, o, n)
		case it.kind == Func:
			c.function(it, o, n)
		case it.kind == Int || it.kind == Float:
			c.number(it, o, n)
		case it.kind == Section:
			c.sectionItself(it)
		default:
			c.body(it, o, n)
		}
		c.common(it)
	}
}

// sizes returns the sizes of an item on both sides, or nil if its kind has none.
func (c *comparer) sizes(it *item, o, n btf.Record) *Size {
	switch it.kind {
	case Func:
		return nil
	case Var:
		a, b := c.old.placeOf(it.old), c.new.placeOf(it.new)
		return &Size{uint64(a.size), uint64(b.size)}
	case Section:
		return &Size{uint64(o[2]), uint64(n[2])}
	}
	return &Size{c.old.sized(uint32(it.old)), c.new.sized(uint32(it.new))}
}

// alone describes a declaration that only one side has.
func (c *comparer) alone(it *item) {
	s, id, op, at := c.new, it.new, Added, 1
	if id == 0 {
		s, id, op, at = c.old, it.old, Removed, 0
	}
	r, _ := s.record(uint32(id))
	rules := map[Kind][2]Rule{Func: {FuncAdded, FuncRemoved}, Var: {VarAdded, VarRemoved}, Section: {SectionSize, SectionSize}}[it.kind]
	if rules[0] == "" {
		rules = [2]Rule{TypeAdded, TypeRemoved}
	}
	ch := Change{Part: Whole, Op: op, Rule: rules[1-at]}
	ch.Severity = severityOf(ch.Rule)
	it.text = c.declaration(s, it, id, r)
	var size uint64
	switch it.kind {
	case Func:
	case Var:
		if p := s.placeOf(id); p.section != 0 {
			size = uint64(p.size)
			it.at[at] = &Extent{Bit: uint64(p.off) * 8, Bytes: size}
			ch.OldAt, ch.NewAt = it.at[0], it.at[1]
		}
	case Section:
		size = uint64(r[2])
	default:
		size = s.sized(uint32(id))
	}
	if it.kind != Func {
		it.size = &Size{New: size}
		if at == 0 {
			it.size = &Size{Old: size}
		}
	}
	if r.Kind() == btf.KindFwd {
		it.size = nil
	}
	it.changes = []Change{ch}
}

// declaration spells a declaration that was added or removed.
func (c *comparer) declaration(s *side, it *item, id btf.ID, r btf.Record) string {
	switch it.kind {
	case Func, Var:
		return s.spell(uint32(id))
	case Typedef:
		return "typedef " + s.declared(r[2], it.name)
	case Struct, Union, Enum:
		switch {
		case r.Kind() == btf.KindFwd:
			return string(it.kind) + " " + it.name + ";"
		case (it.oldAll > 1 || it.newAll > 1) && r.Name() != 0: // the name is ambiguous
			return s.whole(r)
		}
	}
	return ""
}

// redefined describes a declaration that became a definition, the opposite, and a number that became a typedef.
func (c *comparer) redefined(it *item, o, n btf.Record) {
	it.cause = true
	ch := Change{Part: Whole, Op: Changed, Rule: TypeTarget, Severity: severityOfTypes(c.old, uint32(it.old), c.new, uint32(it.new)), Old: nature(c.old, o), New: nature(c.new, n)}
	switch {
	case o.Kind() == btf.KindFwd:
		ch.Rule, ch.Severity = TypeAdded, Add
	case n.Kind() == btf.KindFwd:
		ch.Rule, ch.Severity = TypeRemoved, Break
	}
	it.changes = append(it.changes, ch)
}

// nature says in words what a declaration is.
func nature(s *side, r btf.Record) string {
	switch r.Kind() {
	case btf.KindFwd:
		return "only declared"
	case btf.KindStruct, btf.KindUnion:
		return "defined"
	case btf.KindTypedef:
		return "typedef of " + s.spell(r[2])
	case btf.KindFloat:
		return "floating-point number, " + bytesText(uint64(r[2]))
	}
	return encodingText(r[3])
}

func bytesText(n uint64) string {
	if n == 1 {
		return "1 byte"
	}
	return strconv.FormatUint(n, 10) + " bytes"
}

// function describes a function.
func (c *comparer) function(it *item, o, n btf.Record) {
	if it.own || it.lay {
		it.changes, it.signature = signature(c.old, it.old, c.new, it.new)
	}
	if a, b := o.Vlen(), n.Vlen(); a != b {
		it.changes = append(it.changes, Change{Part: Linkage, Op: Changed, Rule: FuncLinkage, Severity: Neutral, Old: linkageText(a), New: linkageText(b)})
	}
	if it.lay {
		it.because = c.within(it)
	}
}

// number describes a number.
func (c *comparer) number(it *item, o, n btf.Record) {
	if o[2] != n[2] {
		it.changes = append(it.changes, Change{Part: SizePart, Op: Changed, Rule: SizeChanged, Severity: Break, Old: bytesText(uint64(o[2])), New: bytesText(uint64(n[2]))})
	}
	if it.kind == Int && btf.PrintedInt(o[3]) != btf.PrintedInt(n[3]) {
		it.changes = append(it.changes, Change{Part: Encoding, Op: Changed, Rule: TypeEncoding, Severity: Neutral, Old: encodingText(o[3]), New: encodingText(n[3])})
	}
}

// body describes a declaration that may have members or enumerators: a struct, union, enum, typedef or variable.
func (c *comparer) body(it *item, o, n btf.Record) {
	a, b := c.old.open(uint32(it.old), &c.rowsLeft[0]), c.new.open(uint32(it.new), &c.rowsLeft[1])
	was, _ := c.old.record(a.body)
	is, _ := c.new.record(b.body)
	bodies := a.body != 0 && b.body != 0 && a.wrap == b.wrap && categoryOf(was) == categoryOf(is)
	switch {
	case bodies && categoryOf(was) == enumName:
		it.changes = enumChanges(c.old, a.body, c.new, b.body)
		if was[2] != is[2] {
			it.changes = append(it.changes, Change{Part: SizePart, Op: Changed, Rule: SizeChanged, Severity: Neutral, Old: bytesText(uint64(was[2])), New: bytesText(uint64(is[2]))})
		}
	case bodies:
		c.members(it, &a, &b)
	case o[2] != 0 || n[2] != 0:
		c.target(it, o, n)
	}
	if it.kind == Var {
		c.variable(it, o, n)
	}
}

// members describes the changes of members.
func (c *comparer) members(it *item, a, b *rows) {
	if !a.whole || !b.whole {
		it.cause = true
		it.changes = append(it.changes, Change{Part: Whole, Op: Changed, Rule: MemberType, Severity: Break, New: "has too many members to tell which differ"})
		return
	}
	l := lineUp(c.old, c.new, a, b)
	if it.own {
		it.changes = append(it.changes, l.changes()...)
	}
	it.shifts = l.shifts()
	if it.lay {
		it.because = c.heldBy(a, b)
	}
	if it.own || !it.lay {
		return
	}
	if why := c.explain(a, b); why != "" || len(it.because) == 0 && it.kind != Var {
		if why == "" {
			if it.because = c.within(it); len(it.because) > 0 {
				return
			}
		}
		it.cause = true
		it.changes = append(it.changes, unexplained(it, why)...)
	}
}

// unexplained returns the changes of a declaration whose layout does not follow from the types that it holds. why is the first member whose
// place is not explained, or "" for the end.
func unexplained(it *item, why string) []Change {
	if why == "" || why == atEnd {
		return []Change{{Part: SizePart, Op: Changed, Rule: SizeChanged, Severity: Neutral, Old: bytesText(it.size.Old), New: bytesText(it.size.New)}}
	}
	return []Change{{Part: Member, Path: why, Op: Moved, Rule: MemberMoved, Severity: Neutral, New: "aligned or packed otherwise"}}
}

// target describes a typedef or variable whose type has no members of its own.
func (c *comparer) target(it *item, o, n btf.Record) {
	if it.kind != Typedef && it.kind != Var {
		return
	}
	rule := TypeTarget
	if it.kind == Var {
		rule = VarType
	}
	if c.old.ref(o[2]).own != c.new.ref(n[2]).own {
		a, b := spellings(c.old, o[2], c.new, n[2])
		it.changes = append(it.changes, Change{Part: Target, Op: Changed, Rule: rule, Severity: severityOfTypes(c.old, o[2], c.new, n[2]), Old: a, New: b})
	}
	it.because = c.held(it.because, c.old, o[2])
	it.because = c.held(it.because, c.new, n[2])
	if len(it.because) == 0 && it.lay {
		it.because = c.within(it)
	}
}

// variable describes the properties of variables other than the type. arrange describes the changes of their places.
func (c *comparer) variable(it *item, o, n btf.Record) {
	if o[3] != n[3] {
		it.changes = append(it.changes, Change{Part: Linkage, Op: Changed, Rule: VarLinkage, Severity: Neutral, Old: linkageText(int(min(o[3], 3))), New: linkageText(int(min(n[3], 3)))})
	}
	a, b := c.old.placeOf(it.old), c.new.placeOf(it.new)
	if a.section != 0 {
		it.at[0] = &Extent{Bit: uint64(a.off) * 8, Bytes: uint64(a.size)}
	}
	if b.section != 0 {
		it.at[1] = &Extent{Bit: uint64(b.off) * 8, Bytes: uint64(b.size)}
	}
	if a.section != b.section {
		it.changes = append(it.changes, Change{Part: Place, Op: Moved, Rule: VarPlace, Severity: Neutral, Old: c.old.sectionText(a), New: c.new.sectionText(b), OldAt: it.at[0], NewAt: it.at[1]})
	}
	if a.section != 0 && b.section != 0 && a.size != b.size && !it.own {
		was, is := c.old.sized(uint32(it.old)), c.new.sized(uint32(it.new))
		if len(it.because) == 0 || int64(b.size)-int64(a.size) != int64(is)-int64(was) {
			it.changes = append(it.changes, Change{Part: SizePart, Op: Changed, Rule: VarSize, Severity: Neutral, Old: bytesText(uint64(a.size)), New: bytesText(uint64(b.size))})
		}
	}
}

func (s *side) sectionText(p place) string {
	if p.section == 0 {
		return "in no section"
	}
	r, _ := s.record(uint32(s.secs[p.index].id))
	return "in " + string(s.text(r.Name()))
}

// sectionItself describes a section, except for its variables: arrange reports the part of its size that they explain.
func (c *comparer) sectionItself(it *item) {
	if it.own {
		it.changes = append(it.changes, Change{Part: Whole, Op: Changed, Rule: SectionSize, Severity: Neutral, New: "lists other functions"})
	}
}

// common describes what all declarations have: tags, and copies. An item with changes of its own is a cause.
func (c *comparer) common(it *item) {
	a, b := c.old.tags.names(c.old, uint32(it.old), -1), c.new.tags.names(c.new, uint32(it.new), -1)
	if strings.Join(a, "\x00") != strings.Join(b, "\x00") && it.own {
		it.changes = append(it.changes, Change{Part: Tag, Op: Changed, Rule: TagRule, Severity: Neutral,
			Old: c.old.tagText(uint32(it.old), -1), New: c.new.tagText(uint32(it.new), -1)})
	}
	if it.oldCopies != it.newCopies {
		it.changes = append(it.changes, Change{Part: Copies, Op: Changed, Rule: TypeCopies, Severity: Neutral,
			Old: strconv.Itoa(int(it.oldCopies)), New: strconv.Itoa(int(it.newCopies))})
	}
	if it.own && len(it.changes) == 0 {
		it.changes = append(it.changes, Change{Part: Whole, Op: Changed, Rule: MemberType, Severity: Break, New: "differs inside of a type without a name"})
	}
	it.cause = it.cause || len(it.changes) > 0
}
