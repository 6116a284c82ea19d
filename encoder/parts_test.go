package encoder

import "github.com/btfbatch/btfbatch/encoder/internal/funcs"

// Images of tests have few functions. With small parts, functions are nevertheless merged while others are appended, whenever a test uses several
// workers. Tests of kernels of the lab have many parts in any case.
func init() { funcs.PartSize = 5 }
