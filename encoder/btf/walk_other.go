//go:build !amd64 || purego

package btf

// walkFast is walk from the first record on. For amd64 it is in assembler code.
func (o *Outline) walkFast() (count, end int) { return o.walk(0, 0) }
