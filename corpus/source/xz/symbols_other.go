//go:build !amd64 || purego

package xz

// haveSymbols says that symbols decodes something.
const haveSymbols = false

// symbols would continue a chunk where it is written in assembly. See symbols_amd64.go.
func symbols(_ *lzma2, _, _ []byte, r ranger, at int) (rest ranger, end int, ok bool) {
	return r, at, true
}
