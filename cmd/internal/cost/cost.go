// Package cost predicts what an image and a package cost before they are opened: time of a processor, bytes from servers, requests to stores,
// and memory.
//
// Input: sizes, as far as they are known, and where an image comes from. Output: a Cost, or bytes of memory. Never: the package opens a
// file, so a prediction takes no time, and every machine predicts the same.
//
// Two packages use it. cmd/internal/shard divides a batch by Seconds, and cmd/internal/batch admits images by memory. There is no other
// model of time and memory; the disk space that outputs need is in cmd/internal/batch. docs/scale.md shows how this one fits to measurements;
// TestCost in cmd/btfbatch measures again.
package cost

import "github.com/btfbatch/btfbatch/corpus/source"

// Time of one processor, in seconds. Measured with btfbatch run -j1 --no-cache --report json on a machine with two processors: eight
// kernels of Debian from 205 to 628 MB, two of them also in their packages, one of them with its 1,138 modules.
const (
	start      = 0.037   // of the program
	perImage   = 0.0022  // of any image, besides what depends on its size: an image of 20 kB
	perInfo    = 4.3e-9  // per byte of .debug_info: translating, deduplicating and verifying, 230 MB/s
	perRead    = 1.0e-9  // per byte of an image: its SHA-256, which a report has
	perModule  = 5.7e-9  // per byte of a module, in place of the two above: its sections are relocated, too
	perDecoded = 9.3e-9  // per byte that xz data unpacks to, 108 MB/s
	perFetched = 2.7e-9  // per byte from a server: receiving it, and writing it to the download folder
	perStored  = 0.00125 // per artifact that is published
	perGolden  = 0.1e-9  // per byte of .debug_info, for comparing with a golden
)

// What is assumed about sizes that are not known. They are those of the same kernels.
const (
	infoShare   = 0.5 // .debug_info, of a kernel that is an ELF file; 0.23 where relocations are kept, up to 0.68
	unpacked    = source.Unpacked
	kernelSize  = source.Kernel
	moduleSize  = 1400 << 10
	packageSize = 300 << 20
)

// What is assumed about the network, which is not measured here. It decides how much a byte counts in comparison with a second of a processor.
const (
	Link      = 25e6 // bytes per second from a mirror to one task
	RoundTrip = 0.02 // seconds for a request to a store
)

// A Cost is what has to be done.
type Cost struct {
	CPU      float64 // seconds of one processor
	Fetched  float64 // bytes from servers
	Requests float64 // to stores
}

// Add adds another cost.
func (c *Cost) Add(more Cost) {
	c.CPU, c.Fetched, c.Requests = c.CPU+more.CPU, c.Fetched+more.Fetched, c.Requests+more.Requests
}

// Seconds is the duration on one processor, if nothing runs at the same time.
func (c Cost) Seconds() float64 { return c.CPU + c.Fetched/Link + c.Requests*RoundTrip }

// Program is the cost of starting the program.
func Program() Cost { return Cost{CPU: start} }

// A Store is a kind of place that outputs are published in.
type Store int

// Kinds of stores.
const (
	None Store = iota
	Folder
	Bucket
	Registry
)

// An Image is what is known of an image. Zero values say that something is not known, or is not so.
type Image struct {
	Stored int64 // bytes of the file, as it is stored
	Info   int64 // bytes of .debug_info
	Packed bool  // the file is compressed
	Remote bool  // the file is fetched
	Inside bool  // the file is in a package, whose cost is that of a Package
	Module bool
	Golden bool
	Store  Store
	Files  int // that are published
}

// Cost predicts what an image costs.
func (im *Image) Cost() Cost {
	size, c := float64(im.Stored), Cost{CPU: perImage}
	switch {
	case im.Module && size == 0:
		size = moduleSize
	case size == 0:
		size = kernelSize
		if im.Packed {
			size /= unpacked
		}
	}
	if im.Remote && !im.Inside {
		c.Fetched, c.CPU = size, c.CPU+perFetched*size
	}
	if im.Packed {
		size *= unpacked
		c.CPU += perDecoded * size
	}
	info := float64(im.Info)
	if info == 0 {
		info = infoShare * size
	}
	if im.Module {
		c.CPU += perModule * size
	} else {
		c.CPU += perInfo*info + perRead*size
	}
	if im.Golden {
		c.CPU += perGolden * info
	}
	if im.Store != None {
		c.CPU += perStored
		c.Requests = float64(Requests(im.Store, max(im.Files, 1)))
	}
	return c
}

// Requests is how many requests publishing an artifact with so many files takes, if there is none yet. docs/publish.md says what they are for.
func Requests(s Store, files int) int {
	switch s {
	case Bucket:
		return 4 + 3*files
	case Registry:
		return 6 + 4*files
	}
	return 0
}

// A Package is what is known of a package.
type Package struct {
	Size   int64 // bytes as stored; 0: not known
	Remote bool  // it is fetched
	Whole  bool  // all of it is fetched, because its digest is known
	ToEnd  bool  // it is unpacked to its end: modules are wanted, or nothing says where its files are
}

// Cost predicts what it costs to fetch and unpack a package. The kernel is near the start of a package, and is read up to its end.
func (p *Package) Cost() Cost {
	size := float64(p.Size)
	if size == 0 {
		size = packageSize
	}
	decoded := size * unpacked
	if !p.ToEnd {
		decoded = min(decoded, kernelSize)
	}
	c := Cost{CPU: perDecoded * decoded}
	if p.Remote {
		if c.Fetched = size; !p.Whole {
			c.Fetched = decoded / unpacked
		}
		c.CPU += perFetched * c.Fetched
	}
	return c
}
