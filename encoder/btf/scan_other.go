//go:build !amd64 || purego

package btf

// scan is pass. For amd64 it is in assembler code.
func scan(section []byte, c cut, in *filter, some *[512]found) (n int, to cut) {
	return pass(section, c, in, some)
}
