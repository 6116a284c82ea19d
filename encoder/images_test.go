package encoder_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/btfbatch/btfbatch/encoder"
	ourbtf "github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

const imageFolder = "../corpus/images"

// unsupported lists the committed images that cannot be encoded, with the reason.
var unsupported = map[string]string{}

// imageNames returns the committed images, without the unsupported ones.
func imageNames(t testing.TB) []string {
	t.Helper()
	goldens, err := filepath.Glob(filepath.Join(imageFolder, "*.btf.golden"))
	if err != nil || len(goldens) == 0 {
		t.Fatalf("no goldens in %s (%v)", imageFolder, err)
	}
	var names []string
	for _, g := range goldens {
		name := strings.TrimSuffix(filepath.Base(g), ".btf.golden")
		if unsupported[name] == "" {
			names = append(names, name)
		}
	}
	return names
}

func imagePath(t testing.TB, name string) string {
	t.Helper()
	for _, ext := range []string{".elf", ".ko"} {
		path := filepath.Join(imageFolder, name+ext)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("no image %s", name)
	return ""
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// encodeBytes encodes an image that is in memory.
func encodeBytes(image []byte, opt encoder.Encoder) (*encoder.Result, error) {
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		return nil, err
	}
	return opt.Encode(context.Background(), f)
}

// likePeer are the options that correspond to pahole with its default features.
func likePeer() encoder.Encoder {
	return encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default(), LangExclude: []encoder.Language{0x1c}}}
}

// TestImages: every committed image gives the bytes of pahole, with the fast path and the exact engine, and for any number of workers.
func TestImages(t *testing.T) {
	for _, name := range imageNames(t) {
		image, want := read(t, imagePath(t, name)), read(t, filepath.Join(imageFolder, name+".btf.golden"))
		for _, exact := range []bool{false, true} {
			for _, workers := range []int{1, 2, 7} {
				t.Run(fmt.Sprintf("%s/exact=%v/workers=%d", name, exact, workers), func(t *testing.T) {
					t.Parallel()
					opt := likePeer()
					opt.Exact, opt.Workers = exact, workers
					res, err := encodeBytes(image, opt)
					if err != nil {
						t.Fatal(err)
					}
					if got := res.Object.AppendWire(nil); !bytes.Equal(got, want) {
						t.Errorf("got %d bytes, want the %d of the golden; they differ from byte %d on", len(got), len(want), firstDifference(got, want))
					}
				})
			}
		}
	}
}

func firstDifference(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// TestUnsupportedImages: unsupported images give an error. An image that can be encoded must be removed from the table.
func TestUnsupportedImages(t *testing.T) {
	for name, reason := range unsupported {
		image := read(t, imagePath(t, name))
		res, err := encodeBytes(image, likePeer())
		if err != nil {
			t.Logf("%s: %v (%s)", name, err, reason)
			continue
		}
		if bytes.Equal(res.Object.AppendWire(nil), read(t, filepath.Join(imageFolder, name+".btf.golden"))) {
			t.Errorf("%s is encoded: take it out of the table of unsupported images", name)
		} else {
			t.Errorf("%s: got BTF that is not the golden, want an error", name)
		}
	}
}

// TestVerifyDedup: VerifyDedup finds no difference in either profile.
func TestVerifyDedup(t *testing.T) {
	for _, name := range imageNames(t) {
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			opt := likePeer()
			opt.Profile, opt.VerifyDedup = profile, true
			if _, err := encodeBytes(read(t, imagePath(t, name)), opt); err != nil {
				t.Errorf("%s, profile %d: %v", name, profile, err)
			}
		}
	}
}

// TestCilium: an independent reader loads every output, in both profiles.
func TestCilium(t *testing.T) {
	for _, name := range imageNames(t) {
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			opt := likePeer()
			opt.Profile = profile
			res, err := encodeBytes(read(t, imagePath(t, name)), opt)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			spec, err := btf.LoadSpecFromReader(bytes.NewReader(res.Object.AppendWire(nil)))
			if err != nil {
				t.Errorf("%s, profile %d: %v", name, profile, err)
				continue
			}
			n := 0
			for _, err := range spec.All() {
				if err != nil {
					t.Errorf("%s, profile %d: type %d: %v", name, profile, n, err)
					break
				}
				n++
			}
			want := 1 // void
			for _, r := range res.Object.All() {
				if r.Kind() != ourbtf.KindDeclTag { // the reader stores tags with the tagged types
					want++
				}
			}
			if n != want {
				t.Errorf("%s, profile %d: the reader has %d types, want %d", name, profile, n, want)
			}
		}
	}
}
