//go:build amd64 && !purego

package dedup

// skipFast is skip. A base has a hundred thousand types, of which skip passes over nearly all; the compiler needs twice the instructions. TestSkip
// compares the two.
func (p *passing) skipFast() { skipRecords(p) }

//go:noescape
func skipRecords(p *passing)
