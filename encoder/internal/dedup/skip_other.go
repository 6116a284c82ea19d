//go:build !amd64 || purego

package dedup

// skipFast is skip. For amd64 it is in assembler code.
func (p *passing) skipFast() { p.skip() }
