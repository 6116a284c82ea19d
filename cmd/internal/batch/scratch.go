package batch

import (
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// An image needs space on disks until it is done: for the part of its package or file that is fetched, for a temporary file with what is unpacked,
// and for its outputs, which are written beside those of the run before and replace them when all of them are whole.

// DefaultDisk is the budget of disk space for images that are in work at once.
const DefaultDisk = 20 << 30

// The sizes of outputs follow from that of .debug_info. These figures were measured on kernels of seven architectures; see TestScratchPrediction.
const (
	btfPerInfo    = 0.0245 // raw BTF, per byte of .debug_info
	dumpPerBTF    = 2.2    // a raw dump, per byte of BTF
	jsonPerBTF    = 3.2
	cPerBTF       = 0.55
	archivePerBTF = 0.3
	packedShare   = 0.2 // a dump, JSON or C that is compressed, per byte
)

// scratch returns the disk space that a job needs until it is done, besides what is fetched, if its image has .debug_info of the given size.
func (j *Job) scratch(info int64) int64 {
	n := j.outputs(info)
	if s, ok := j.File.Source.(interface{ Scratch() int64 }); ok {
		n += s.Scratch()
	}
	return n
}

// outputs returns the size of the outputs of an image.
func (j *Job) outputs(info int64) int64 {
	o := &j.Outputs
	btf := btfPerInfo * float64(info)
	sum := 0.0
	for _, x := range []struct {
		path string
		size float64
	}{{o.BTF, 1}, {o.Base, 0.1}, {o.Dump, dumpPerBTF}, {o.JSON, jsonPerBTF}, {o.C, cPerBTF}} {
		switch {
		case x.path == "":
		case input.Compression(x.path) != "":
			sum += x.size * packedShare
		default:
			sum += x.size
		}
	}
	if o.Archive != "" {
		sum += archivePerBTF
	}
	n := int64(sum * btf)
	if o.ELF != "" {
		n += j.File.Size + int64(btf)
	}
	return n
}

// fetched returns the bytes that are fetched for an image, and where from; "" if it is not from a network.
func fetched(f *corpus.File) (where string, size int64) {
	if !f.Origin.Network {
		return "", 0
	}
	return f.Origin.URL, f.Origin.Size
}

// waitingRoom is the disk space that files of a package can take while they wait for their images.
func (b *batch) waitingRoom() int64 {
	n := 0
	for i := range b.jobs {
		m, ok := b.jobs[i].File.Source.(interface{ Waiting() int64 })
		if !ok {
			continue
		}
		if n++; n > 1 {
			return m.Waiting()
		}
	}
	return 0
}
