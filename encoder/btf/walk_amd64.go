//go:build amd64 && !purego

package btf

// walkFast is walk, which goes over all types of a base for each module; the compiler needs twice the instructions. TestWalk compares the two.
func (o *Outline) walkFast() (count, end int) {
	if len(o.words) > tail {
		count, end = walkRecords(o.words, &o.table, &o.lengths[0], &o.blocks[0])
	}
	return o.walk(count, end)
}

// tail is the number of words at the end that walkRecords leaves: those of a block of records without elements.
const tail = blockLen * recordWords

// walkRecords is walk up to a record that ends in the tail, or behind the words.
//
//go:noescape
func walkRecords(words []uint32, table *lengthTable, lengths *uint8, blocks *uint32) (count, end int)
