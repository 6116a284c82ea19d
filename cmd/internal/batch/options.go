package batch

import (
	"io"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Options of a batch: what all its images have in common. The zero value does what the jobs say, and reports nothing while it runs.
type Options struct {
	Encoding Encoding
	Lint     Lint
	Goldens  Goldens
	Outputs  Outputs
	Events   Events
	Hash     bool // the report contains the digests of all files; pinned files are hashed in any case
}

// Encoding says how images are encoded. It has no influence on the bytes.
type Encoding struct {
	Workers     int  // 0: one per processor
	VerifyDedup bool // see encoder.Encoder
	Paranoid    bool // see encoder.Encoder

	// OnFunc and OnVar are called with each decision about a function or variable; see encoder.Hooks.
	OnFunc func(encoder.FuncDecision)
	OnVar  func(encoder.VarDecision)
}

// Lint says which warnings about the BTF there are, and what follows from them.
type Lint struct {
	On      bool    // warnings go into the report
	Strict  bool    // an image with warnings fails
	Earlier string  // folder of earlier outputs, NAME.btf, with which functions and variables are compared; may be empty
	Loss    float64 // the share of them that may be missing
}

// Goldens says what happens to goldens that differ.
type Goldens struct {
	Update     bool   // they are rewritten
	New        string // folder for what goldens would become; may be empty
	Dir        string // folder of the manifest, for New
	Exceptions *golden.Exceptions
}

// Outputs says where BTF goes besides the outputs of each job.
type Outputs struct {
	Out          io.Writer // gets the raw BTF of every published image; may be nil
	KeepRejected bool      // refused outputs are kept beside their places; see Rejected
}

// Events are called while the batch runs. Each may be nil.
type Events struct {
	// Phases gets the passes of an image; from several goroutines.
	Phases func(name string, phases []encoder.Phase)
	// Error gets the full error of an image, of which the row has one line; from several goroutines.
	Error func(name string, err error)
	// Bytes gets how many more bytes of images have been read; from several goroutines.
	Bytes func(n int64)
	// Differ gets the comparison of an image that differs from its golden, before the golden is rewritten.
	Differ func(name string, c *report.Comparison)
	// Row gets the row of each finished image, in the order of the jobs.
	Row func(row report.Row)
}

// encoder returns the encoder for an image with these settings.
func (o *Options) encoder(s *settings.Settings, workers int) encoder.Encoder {
	return encoder.Encoder{Options: s.Options, Hooks: encoder.Hooks{OnFunc: o.Encoding.OnFunc, OnVar: o.Encoding.OnVar},
		Workers: workers, VerifyDedup: o.Encoding.VerifyDedup, Paranoid: o.Encoding.Paranoid}
}
