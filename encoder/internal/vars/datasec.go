package vars

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// Finish appends one DATASEC per section with variables, in section index order (rule 02/6.4).
func (c *Collector) Finish(o *btf.Object) (Stats, error) {
	if c.Apart != nil {
		c.appendStrings(o)
	}
	for i := range c.infos {
		infos := c.infos[i]
		if len(infos) == 0 {
			continue
		}
		sec := &c.s.list[i]
		if c.s.opt.Peer.Has(rules.PeerEntries) {
			c.s.opt.peerEntries(infos)
		} else {
			slices.SortStableFunc(infos, byOffset)
			if !sec.rule.KeepDuplicate {
				infos = c.unique(infos)
			}
			if c.varsOnly(sec) {
				continue
			}
		}
		if len(infos) > btf.MaxVlen {
			return c.stats, fmt.Errorf("section %s: %d variables are more than a DATASEC can count", sec.elf.Name, len(infos))
		}
		last := infos[len(infos)-1]
		o.Append(o.Strings.Add([]byte(sec.elf.Name)), btf.Info(btf.KindDatasec, uint32(len(infos)), false), last.offset+last.size)
		words := o.Space(3 * len(infos))
		for j, v := range infos {
			words[3*j], words[3*j+1], words[3*j+2] = uint32(v.id), v.offset, v.size
		}
		c.stats.Datasecs++
	}
	return c.stats, nil
}

// varsOnly reports whether the variables of a section get no DATASEC.
func (c *Collector) varsOnly(sec *section) bool {
	return !c.s.opt.Peer.Has(rules.PeerEntries) && sec.rule.NoDatasec
}

func byOffset(a, b secinfo) int { return cmp.Compare(a.offset, b.offset) }

// unique keeps one entry for every byte of a section, as kernels require. Of several definitions of one variable, or other
// entries that overlap, it keeps the one that the symbol table describes, else the first. The VARs of the others merge into it.
func (c *Collector) unique(infos []secinfo) []secinfo {
	keep := infos[:0]
	for _, v := range infos {
		for n := len(keep); n > 0 && overlaps(keep[n-1], v) && keep[n-1].weak && !v.weak; n-- {
			c.drop(keep[n-1], v)
			keep = keep[:n-1]
		}
		if n := len(keep); n > 0 && overlaps(keep[n-1], v) {
			c.drop(v, keep[n-1])
			continue
		}
		keep = append(keep, v)
	}
	return keep
}

// overlaps reports whether b starts inside of a. b does not start before a.
func overlaps(a, b secinfo) bool { return uint64(b.offset) < uint64(a.offset)+uint64(a.size) }

// drop removes v, which merges into kept.
func (c *Collector) drop(v, kept secinfo) {
	c.stats.Emitted--
	c.stats.Dropped[Duplicate]++
	if c.same == nil {
		c.same = make(map[btf.ID]btf.ID)
	}
	c.same[v.id] = kept.id
	if v.decision >= 0 {
		c.decisions[v.decision].Reason = Duplicate
	}
}

// weak reports whether no symbol of the variable's size owns its address. The variable is then another definition of what is
// there.
func (s *Sections) weak(v *translate.Var, sec *section) bool {
	return !s.objects.sizes[sizedPlace{place{v.Addr, uint32(sec.elf.Index)}, v.Size}]
}
