package cost

// The peak of an encoding follows from .debug_info: all large tables are for its types, names and functions. These figures were measured on
// kernels of seven architectures, from 130 to 250 MB of .debug_info; see TestPrediction in cmd/internal/batch.
const (
	ProgramMemory = 10 << 20 // the program, without any image, in bytes
	smallMemory   = 1 << 20  // an image without large tables, in bytes
	memoryPerInfo = 0.235    // peak with one worker, in bytes per byte of .debug_info
	morePerInfo   = 0.03     // more for each further worker
	heldPerInfo   = 0.2      // BTF of a base, prepared for what continues it
	perBaseByte   = 8        // a base that is read from a file, per byte
	unknownStored = 64 << 20 // compressed size of an image whose size is not known before it is fetched
)

// Decoder is the memory for the blocks of a package that are being decoded for one image, in bytes, besides those that are kept: four of Debian's.
const Decoder = 4 * 24 << 20

// RustFactor is for images with Rust. Most of them take a third more memory than without it. It covers those in which the languages cannot be kept apart,
// so that names of Rust's types are ambiguous; which ones these are is known only while they are encoded.
const RustFactor = 6.3

// A Memory is how many bytes an image needs.
type Memory struct {
	Peak int64 // with one worker
	More int64 // for each further worker
	Held int64 // for what continues the image, until all of it is encoded
}

// MemoryOf predicts the memory for an image with so many bytes of .debug_info. factor is RustFactor or 1, and inside the size of the image
// if it must be in memory.
func MemoryOf(info int64, factor float64, inside int64) Memory {
	return Memory{Peak: smallMemory + int64(memoryPerInfo*factor*float64(info)) + inside, More: int64(morePerInfo * float64(info)), Held: int64(heldPerInfo * float64(info))}
}

// OfBase predicts the memory for a base that is read from a file.
func OfBase(size int64) int64 { return perBaseByte * size }

// OfUnopened estimates the size of .debug_info, and of the image, of a kernel that is compressed or not there yet. stored is 0 if it is not known.
func OfUnopened(stored int64) (info, size int64) {
	if stored <= 0 {
		stored = unknownStored
	}
	size = stored * unpacked
	return int64(infoShare * float64(size)), size
}

// OfModule estimates the size of .debug_info of a module.
func OfModule(stored int64) int64 { return int64(infoShare * float64(stored)) }
