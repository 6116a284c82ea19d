//go:build !purego

package xz

// Most time of a package goes into the loop over symbols. Compilers keep too few of its values in registers, and move more of them than is needed, so
// the loop is also written in assembly. It makes the same decisions from the same probabilities, and tests compare both. A kernel's blocks take
// a quarter less time.
//
// The assembly leaves out what happens seldom: the first symbol of a chunk, which may have no byte before it, and the last ones, before which the
// ends of input and output must be compared for each byte.

// haveSymbols says that symbols decodes something.
const haveSymbols = true

// symbols continues a chunk as far as neither its packed data, in, nor its output can come to an end. At least one byte of the dictionary must be in
// the output before at. State and reps are those of d. rest and end say where it stopped. ok is false if the chunk is damaged.
//
//go:noescape
func symbols(d *lzma2, out, in []byte, r ranger, at int) (rest ranger, end int, ok bool)
