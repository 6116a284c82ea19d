package batch

import (
	"bytes"
	"debug/elf"
	"math/bits"
	"os"
	"slices"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/cmd/internal/schedule"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder"
)

// DefaultMemory is the budget of memory for images that are encoded at once.
const DefaultMemory = 2 << 30

// PackageRoom returns how much of a budget of memory is for decoded blocks of packages, in bytes. A small budget has none: blocks go to temporary files.
func PackageRoom(budget int64) int64 {
	if budget <= 0 {
		budget = DefaultMemory
	}
	return min(source.DefaultRoom, max(0, (budget-leastBudget)/4))
}

// packageRoom returns the part of the budget that is for decoded blocks, and the share of it that a kernel gets, if as many kernels of packages are
// encoded at once as there are workers. Without packages, both are 0.
func (b *batch) packageRoom() (all, share int64) {
	packages, kernels := false, 0
	for i := range b.jobs {
		m, ok := b.jobs[i].File.Source.(*source.Member)
		packages = packages || ok
		if ok && m.Size() >= smallImage {
			kernels++
		}
	}
	if !packages {
		return 0, 0
	}
	all = PackageRoom(b.opt.Encoding.Memory)
	return all, all / int64(max(1, min(kernels, b.opt.Encoding.Workers)))
}

// leastBudget is a budget that has enough for one kernel of a package, if its blocks are not kept in memory.
const leastBudget = 256 << 20

// smallImage is the size of a file below which its sections are not looked up for a prediction.
const smallImage = 8 << 20

// rust is DW_LANG_Rust, the language of units that an image may leave out.
const rust encoder.Language = 0x1c

// plan converts the jobs of the batch to jobs of a schedule. Images that share a golden take turns, and images of packages are read in the
// order of the package. Both therefore start in their order.
func (b *batch) plan() []schedule.Job {
	list := make([]schedule.Job, len(b.jobs))
	last := -1 // that starts in its order
	seen := map[string]bool{}
	for i := range b.jobs {
		j := &b.jobs[i]
		list[i] = j.predict()
		list[i].Continues, list[i].Follows = j.Base, -1
		if j.arrives() {
			list[i].Ahead = aheadMemory
		}
		if j.File.Path == "" || b.turns[i] != nil {
			list[i].Follows, last = last, i
		}
		if where, size := fetched(&j.File); where != "" && !seen[where] { // once for all images of a package
			seen[where] = true
			list[i].Disk += size
			b.fetches[i] = size
		}
	}
	return list
}

// predict returns the work of a job, and the memory and disk space that it needs.
func (j *Job) predict() schedule.Job {
	if j.Err != nil {
		return schedule.Job{}
	}
	info, factor, inside := j.debugInfo()
	m := cost.MemoryOf(info, factor, inside)
	s := schedule.Job{Work: rounded(info), More: m.More, Held: m.Held, Memory: m.Peak, Disk: j.scratch(info)}
	if j.BaseFile != "" {
		if st, err := os.Stat(j.BaseFile); err == nil && st.Mode().IsRegular() {
			s.Memory += cost.OfBase(min(st.Size(), smallImage))
		}
	}
	return s
}

// rounded returns the largest power of two that is not above n. Images of similar sizes start in the order of the manifest, so that their rows,
// which are reported in this order, do not wait for long. All small ones are similar.
func rounded(n int64) int64 {
	if n < smallImage {
		return 0
	}
	return 1 << (bits.Len64(uint64(n)) - 1)
}

// debugInfo returns the size of .debug_info, a factor for what is slower than C, and the size of the image if it must be in memory. The
// first is estimated for images that are small, compressed or not there yet.
func (j *Job) debugInfo() (size int64, factor float64, inside int64) {
	stored := j.File.Size
	if j.File.Path != "" && stored > 0 && stored < smallImage {
		return cost.OfModule(stored), 1, stored // a module, whose sections are relocated in memory
	}
	if j.File.Path != "" {
		if stored <= 0 {
			return 0, 1, 0 // it is missing, or no regular file
		}
		if size, factor, ok := j.sections(); ok {
			return size, factor, 0
		}
	}
	size, inside = cost.OfUnopened(stored)
	return size, 1, inside
}

// sections returns the size of .debug_info of an ELF file, and a factor. It does not report errors: the encoder will.
func (j *Job) sections() (size int64, factor float64, ok bool) {
	st, err := os.Stat(j.File.Path)
	if err != nil || !st.Mode().IsRegular() {
		return 0, 0, false
	}
	f, err := elf.Open(j.File.Path)
	if err != nil {
		return 0, 0, false
	}
	defer f.Close()
	factor = 1
	for _, s := range f.Sections {
		switch s.Name {
		case ".debug_info", ".zdebug_info":
			size += int64(min(s.Size, 1<<40))
		case ".comment":
			if text, err := s.Data(); err == nil && bytes.Contains(text, []byte("rustc")) && !slices.Contains(j.Settings.LangExclude, rust) {
				factor = cost.RustFactor
			}
		}
	}
	return size, factor, true
}
