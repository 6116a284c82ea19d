package shard

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/corpus"
)

// Predicted costs, in seconds on a machine with two processors. They come from kernels of 200 to 600 MB, each encoded, verified for three
// generations, dumped and compared with its golden: 1.4 s for 205 MB, 2.7 s for 345 MB, 3.0 s for 588 MB. Unpacking takes longer than
// encoding: a processor unpacks 21 MB of xz data in a second, which are about 3 MB of a package.
const (
	perImage          = 0.05
	bytesPerSecond    = 150e6
	unpackedPerSecond = 33e6 // unpacked and encoded
	packedPerSecond   = 6e6
	unknown           = 5 // an image whose size is unknown, such as one that is still to be fetched
)

// packed are the extensions of compressed files.
var packed = []string{".zst", ".gz", ".xz", ".bz2"}

// seconds predicts how long an item takes. The size that the lock has counts, if there is one: it is the same for every task, whatever a task has
// fetched already.
func seconds(it *corpus.Item) float64 {
	size := it.Size
	if l := it.Pins.Lock; l != nil && l.Size > 0 {
		size = l.Size
	}
	switch {
	case size == 0:
		return perImage + unknown
	case it.Origin.Member != "":
		return perImage + float64(size)/unpackedPerSecond
	case it.Path == "" || slices.Contains(packed, strings.ToLower(filepath.Ext(it.Path))): // it is fetched
		return perImage + float64(size)/packedPerSecond
	}
	return perImage + float64(size)/bytesPerSecond
}
