package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"time"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

// An output that an earlier run published, and that is the same file as then, is not written again. The copy of an image always is: it is large
// and takes more from the image than its contents. So is the evidence, which says more than the key of a result does.

// holds says which output of which result a file has.
func (t *target) holds(key string) string { return t.key + " " + key }

// inPlace returns the outputs of a known result that are in their places, by path.
func (b *batch) inPlace(t *target) map[string]report.Output {
	there := map[string]report.Output{}
	for _, o := range t.Outputs.List() {
		if o.Key == "outputs.elf" || o.Key == config.KeyEvidence {
			continue
		}
		before, now := cache.StateOf(o.Path), time.Now()
		r, current, err := b.opt.Cache.Recall(o.Path, before)
		b.trouble(err)
		if err != nil || before.ID == "" || r.Holds != t.holds(o.Key) {
			continue
		}
		if !current || b.opt.Cache.Verify {
			if sum, err := Sum(o.Path); err != nil || sum != r.SHA256 || cache.StateOf(o.Path) != before {
				continue
			}
			b.trouble(b.opt.Cache.Remember(o.Path, before, now, r.SHA256, r.Holds))
		}
		st, err := input.Stat(o.Path)
		if err != nil {
			continue
		}
		done := report.Output{Kind: kindOfOutput(o.Key), Path: o.Path, Bytes: st.Size()}
		if b.hashes(t.Job) {
			done.SHA256 = r.SHA256
		}
		there[o.Path] = done
	}
	return there
}

// published notes what the outputs hold, for the next run.
func (b *batch) published(t *target, w *writing) {
	if b.opt.Cache == nil || t.key == "" {
		return
	}
	for path, sum := range w.sums {
		now := time.Now()
		b.trouble(b.opt.Cache.Remember(path, cache.StateOf(path), now, sum.sum, t.holds(sum.key)))
	}
}

// A fresh is an output that this run wrote: its key and its digest, as stored.
type fresh struct{ key, sum string }

// Sum returns the digest of a file as it is stored.
func Sum(path string) (string, error) {
	f, _, err := input.OpenRaw(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
