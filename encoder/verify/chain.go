package verify

import "github.com/btfbatch/btfbatch/encoder/btf"

// chains walks from every modifier to the type that it modifies (rule 05/8). A walk ends early at an id whose own chain has passed. So a
// long chain is accepted if its inner parts have lower ids, and no walk is longer than 33 steps.
func (c *checker) chains() *Refusal {
	first := c.firstID
	for i := range c.recs {
		id := first + uint32(i)
		if !btf.Modifiers.Has(c.kindOf(id)) {
			continue
		}
		if phrase := c.chain(id); phrase != "" {
			r := c.rec(id)
			line := bareLine
			if phrase == danglingLink {
				line = lastLine
			}
			return c.refuse(fault{rec: &r, phrase: phrase, line: line})
		}
	}
	return nil
}

func (c *checker) chain(start uint32) string {
	tags := true // all types so far were type tags
	id := start
	for steps := 0; ; steps++ {
		k := c.kindOf(id)
		switch {
		case !btf.Modifiers.Has(k):
			return ""
		case steps == maxChain:
			return "Max chain length or cycle detected"
		case k != btf.KindTypeTag:
			tags = false
		case !tags && c.gen.tagsFirst:
			return "Type tags don't precede modifiers"
		}
		if id < start {
			return ""
		}
		r := c.rec(id)
		id = r.third
		if !c.exists(id) {
			return danglingLink
		}
	}
}
