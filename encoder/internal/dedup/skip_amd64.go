//go:build amd64 && !purego

package dedup

import "github.com/btfbatch/btfbatch/encoder/btf"

// skipFast is skip. A base has a hundred thousand types, of which skip passes over nearly all; the compiler needs twice the instructions. TestSkip
// compares the two.
func (p *passing) skipFast() { skipRecords(p) }

//go:noescape
func skipRecords(p *passing)

// kindFunc is btf.KindFunc.
const kindFunc = int(btf.KindFunc) //nolint:unused // skipRecords uses it
