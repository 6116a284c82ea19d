package batch

import (
	"io"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Options are the settings that all images of a batch share. With the zero value, nothing is reported while the batch runs.
type Options struct {
	Encoding Encoding
	Lint     Lint
	Goldens  Goldens
	Series   Series
	Outputs  Outputs
	Events   Events
	Cache    *Cache          // nil: every image is made
	Publish  Publishing      // nil: nothing is published in stores
	Manifest report.Manifest // of the report; empty for a single image
	Shard    *report.Shard   // of the report; nil for a whole batch
	Hash     bool            // the report contains the digests of all files; files with a pinned digest are always hashed
	Details  bool            // rows contain report.Details
	Setup    report.Setup    // for the report
	// MaxFailures is the number of failed images after which no other image is started; 0 is no limit.
	MaxFailures int
	Tool        report.Tool // the program, for documents of evidence
}

// Encoding says how images are encoded. It does not influence the BTF.
type Encoding struct {
	Workers     int   // 0: one per processor
	Memory      int64 // budget in bytes for images that are encoded at once, by their predicted peaks; 0: DefaultMemory
	Disk        int64 // budget in bytes for the disk space that images in work need, by prediction; 0: DefaultDisk
	VerifyDedup bool  // see encoder.Encoder
	Paranoid    bool  // see encoder.Encoder

	// OnFunc and OnVar are called with each decision about a function or variable; see encoder.Hooks.
	OnFunc func(encoder.FuncDecision)
	OnVar  func(encoder.VarDecision)
}

// Lint selects the warnings about the BTF, and says whether they fail an image.
type Lint struct {
	On      bool    // warnings go into the report
	Strict  bool    // an image with warnings fails
	Earlier string  // folder of earlier outputs, NAME.btf; functions and variables are compared with those; may be empty
	Loss    float64 // the share of functions and variables that may be missing
}

// Goldens says what happens if a golden differs.
type Goldens struct {
	Update     bool              // the golden is rewritten
	New        string            // folder for what goldens would become; may be empty
	Dir        string            // folder of the manifest, for New
	Outside    map[string]string // goldens that the run must leave as they are; see the function Outside
	Exceptions *golden.Exceptions
	Strict     bool // an exception that accepted nothing fails the batch
}

// Outputs says where BTF is written in addition to the outputs of each job.
type Outputs struct {
	Out          io.Writer // receives the raw BTF of every published image; may be nil
	KeepRejected bool      // refused outputs are kept under another name; see Rejected
}

// Events are called while the batch runs. Each may be nil.
type Events struct {
	// Phases is called with the passes of an image, from several goroutines.
	Phases func(name string, phases []encoder.Phase)
	// Step is called when an image begins a step, from several goroutines.
	Step func(name string, step Step)
	// Reading is called while a package or a file on a server is read for an image, from several goroutines: with the offset up to which it
	// was read, and its size, which is -1 if it is unknown.
	Reading func(name string, at, size int64)
	// Done is called when an image is done, from several goroutines. good means that it neither failed nor differs from its golden.
	Done func(name string, good bool)
	// Cache is called with what is wrong with the cache, from several goroutines. Images are made without it then.
	Cache func(err error)
	// Error is called with the full error of an image, from several goroutines. The row has one line of it.
	Error func(name string, err error)
	// Bytes is called with the number of bytes of images that have been read since the last call, from several goroutines.
	Bytes func(n int64)
	// Differ is called with the comparison of an image that differs from its golden, before the golden is rewritten.
	Differ func(name string, c *report.Comparison)
	// Row is called with the row of each finished image, in the order of the jobs.
	Row func(row report.Row)
}

// A Step is what is done with an image, in a word for people.
type Step string

// The steps of an image, in their order.
const (
	StepOpening   Step = "opening"
	StepReading   Step = "reading"  // a package
	StepFetching  Step = "fetching" // opening what is on a server
	StepWaiting   Step = "waiting"  // for its base
	StepEncoding  Step = "encoding"
	StepVerifying Step = "verifying"
	StepComparing Step = "comparing"
	StepWriting   Step = "writing"

	StepPublishing Step = "publishing" // in stores, while other images are encoded
)

// step reports a step of an image.
func (b *batch) step(name string, s Step) {
	if b.opt.Events.Step != nil {
		b.opt.Events.Step(name, s)
	}
}

// encoder returns the encoder for an image with these settings.
func (o *Options) encoder(s *settings.Settings, workers int) encoder.Encoder {
	return encoder.Encoder{Options: s.Options, Hooks: encoder.Hooks{OnFunc: o.Encoding.OnFunc, OnVar: o.Encoding.OnVar, Allocs: o.allocs()},
		Workers: workers, VerifyDedup: o.Encoding.VerifyDedup, Paranoid: o.Encoding.Paranoid}
}
