package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// garbage is the value of GOGC for commands that encode. The memory of an encoding is a few large slices without pointers, which cost the
// collector next to nothing. Half of the usual 100 reduces the peak by a fifth and costs no measurable time.
const garbage = 50

// collectOften sets GOGC, unless the environment does.
func collectOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}

// collectSeldom sets GOGC for a comparison, a dump or an embedding, unless the environment does. Nearly everything that these allocate stays until
// the end, so that the collector would find little.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(600)
	}
}

// collectWhenReading returns an encoder.Hooks.OnProgress that calls collectOften as collectLater does.
func collectWhenReading() func(done, total uint64) {
	later := collectLater(func(int64) {})
	return func(done, _ uint64) { later(int64(done)) }
}

// collectLater calls collectOften at the first progress, which it passes on to next. Until then the memory of an image only grows:
// collecting every few megabytes would take one per cent of the time and free nothing.
func collectLater(next func(n int64)) func(n int64) {
	if os.Getenv("GOGC") != "" {
		return next
	}
	debug.SetGCPercent(-1)
	var first sync.Once
	return func(n int64) {
		first.Do(collectOften)
		next(n)
	}
}

// manyImages is the number of images from which what is known of them takes more memory than most kernels do.
const manyImages = 20_000

// longManifest is the size in bytes of a manifest whose values take more memory than most commands do.
const longManifest = 1 << 20

// loadManifest reads a manifest. Reading a long one is a quarter slower than it could be, and takes a third less memory.
func loadManifest(path string) (*config.Manifest, error) {
	if st, err := os.Stat(path); err == nil && st.Size() > longManifest {
		collectOften()
	}
	m, err := config.Load(path)
	if mode, ok := errors.AsType[*input.ModeError](err); ok && mode.Mode.IsDir() {
		mode.Hint = "give the manifest in it, such as " + filepath.Join(mode.Path, defaultManifest) + "; btfbatch init writes one for the images in a folder"
	}
	return m, err
}
