//go:build amd64 && !purego

package btf

// The search of a base is a tenth of a small call, and the processor can compare 16 bytes with NUL at once. The assembler code does what pass does, which
// other machines use, and TestScan compares the two.

// scan is pass.
func scan(section []byte, c cut, in *filter, some *[512]found) (n int, to cut) {
	if c.i == 0 { // scanBlocks reads the eight bytes before a NUL, whatever they are
		return pass(section[:block], c, in, some)
	}
	if c.i < 8 || c.at < 0 || c.at > c.i || len(section)-c.i < block {
		return 0, c
	}
	return scanBlocks(section, c, in, some)
}

// scanBlocks is pass, from a place with at least eight bytes before it and a block after it.
//
//go:noescape
func scanBlocks(section []byte, c cut, in *filter, some *[512]found) (n int, to cut)
