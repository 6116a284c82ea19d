//go:build !amd64 || purego

package btf

// walkFast is walk. For amd64 it has assembler code.
func (o *Outline) walkFast() (count, end int) { return o.walk() }
