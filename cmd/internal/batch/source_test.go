package batch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A meddler is a Source that counts how often it is opened, and calls meddle after opening the file and before it is read.
type meddler struct {
	source.Source
	meddle func()
	opened int
}

func (m *meddler) Open(ctx context.Context) (*input.File, error) {
	f, err := m.Source.Open(ctx)
	m.opened++
	m.meddle()
	return f, err
}

func sumOf(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// another returns an image whose types differ from those of sample.
func another(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(data, []byte("list_head\x00"), []byte("lost_head\x00"))
}

// TestReplacedImage: if an image is replaced after it was opened, the original is encoded and copied.
func TestReplacedImage(t *testing.T) {
	path, dir := sample(t), t.TempDir()
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	outputs := func(name string) (list [][]byte) {
		for _, ending := range []string{".btf", ".elf"} {
			data, err := os.ReadFile(filepath.Join(dir, name+ending))
			if err != nil {
				t.Error(err)
			}
			list = append(list, data)
		}
		return list
	}
	run := func(name string, meddle func()) {
		items := manifest(t, fmt.Sprintf("  - {name: %s, path: %s, sha256: %s, outputs: {btf: %s/%s.btf, elf: %s/%s.elf}}\n", name, path, sumOf(was), dir, name, dir, name))
		items[0].Source = &meddler{Source: items[0].Source, meddle: meddle}
		r := Run(context.Background(), Jobs(items, ""), Options{Encoding: Encoding{Workers: 1}, Hash: true})
		if row := r.Rows()[0]; row.Status != report.OK || row.InputSHA256 != sumOf(was) {
			t.Errorf("%s: got %s, %s, digest %s, want ok and %s", name, row.Status, row.Error, row.InputSHA256, sumOf(was))
		}
	}
	run("alone", func() {})
	run("replaced", func() {
		if err := errors.Join(os.WriteFile(path+".new", another(t), 0o600), os.Rename(path+".new", path)); err != nil {
			t.Error(err)
		}
	})
	if got, _ := os.ReadFile(path); bytes.Equal(got, was) {
		t.Fatal("the image was not replaced")
	}
	want := outputs("alone")
	for i, got := range outputs("replaced") {
		if !bytes.Equal(got, want[i]) {
			t.Errorf("output %d: got that of the replacing image", i)
		}
	}
}

// TestChangedImage: an image that is modified while it is read fails, and nothing is published.
func TestChangedImage(t *testing.T) {
	for _, tt := range []struct {
		name, keys string
		hash       bool
	}{
		{"encoded", "outputs: {btf: DIR/a.btf}", false},
		{"copied", "outputs: {elf: DIR/a.elf}", false},
		{"hashed", "outputs: {btf: DIR/a.btf}", true},
	} {
		path, dir := sample(t), t.TempDir()
		items := manifest(t, fmt.Sprintf("  - {name: a, path: %s, %s}\n", path, strings.ReplaceAll(tt.keys, "DIR", dir)))
		// Modify the image when the first part has been read, so that the rest is that of another image.
		changed := false
		r := Run(context.Background(), Jobs(items, ""), Options{Encoding: Encoding{Workers: 1}, Hash: tt.hash, Events: Events{Bytes: func(int64) {
			if changed {
				return
			}
			changed = true
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := f.Write(append(another(t), 0)); err != nil {
				t.Error(err)
			}
			f.Close()
		}}})
		row := r.Rows()[0]
		if !changed || row.Status != report.Failed || !strings.Contains(row.Error, input.ErrChanged.Error()) {
			t.Errorf("%s: got %s, %q, want %q", tt.name, row.Status, row.Error, input.ErrChanged)
		}
		if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
			t.Errorf("%s: got %v, %v, want nothing published", tt.name, left, err)
		}
	}
}

// TestReplacedBase: the report has the digest of a base that is a file, and a wrong pinned digest is an error.
func TestReplacedBase(t *testing.T) {
	path, dir := sample(t), t.TempDir()
	base := filepath.Join(dir, "base.btf")
	r := Run(context.Background(), Jobs(manifest(t, fmt.Sprintf("  - {name: k, path: %s, outputs: {btf: %s}}\n", path, base)), ""), Options{Encoding: Encoding{Workers: 1}})
	was, err := os.ReadFile(base)
	if err != nil || r.Totals().OK != 1 {
		t.Fatal(err, r.Rows())
	}
	for pin, want := range map[string]string{sumOf(was): "", strings.Repeat("0", 64): "base_sha256"} {
		r := Run(context.Background(), Jobs(manifest(t, fmt.Sprintf("  - {name: m, path: %s, base_path: %s, base_sha256: \"%s\"}\n", path, base, pin)), ""), Options{Encoding: Encoding{Workers: 1}})
		row := r.Rows()[0]
		if row.BaseSHA256 != sumOf(was) || want == "" && row.Error != "" || !strings.Contains(row.Error, want) {
			t.Errorf("got %q and digest %s, want %q and %s", row.Error, row.BaseSHA256, want, sumOf(was))
		}
	}
}

// TestOpenedOnce: an image is opened once in a run. The run does not notice that it was removed afterwards.
func TestOpenedOnce(t *testing.T) {
	for _, tt := range []struct{ name, keys, want string }{
		{"encoded and copied", "sha256: SUM, outputs: {btf: DIR/a.btf, dump: DIR/a.raw, elf: DIR/a.elf}", ""},
		{"refused by a kernel", "verify: '5.10', outputs: {btf: DIR/a.btf}", "it comes from CU 0: .debug_info"}, // locating the type reads the image again
		{"another one", "sha256: OTHER", "sha256: the file has "},
		{"of another release", "release: 6.1.0", "release: the image is neither"},
	} {
		path, dir := sample(t), t.TempDir()
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		keys := strings.NewReplacer("DIR", dir, "SUM", sumOf(was), "OTHER", sumOf(nil)).Replace(tt.keys)
		items := manifest(t, fmt.Sprintf("  - {name: a, path: %s, %s}\n", path, keys))
		if items[0].Arch != "" {
			t.Errorf("%s: the image was opened before it was encoded", tt.name)
		}
		m := &meddler{Source: items[0].Source, meddle: func() {
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}}
		items[0].Source = m
		row := Run(context.Background(), Jobs(items, ""), Options{Encoding: Encoding{Workers: 1}, Hash: true}).Rows()[0]
		if m.opened != 1 || (row.Error == "") != (tt.want == "") || !strings.Contains(row.Error, tt.want) {
			t.Errorf("%s: opened %d times, got %q, want %q", tt.name, m.opened, row.Error, tt.want)
		}
		if row.InputSHA256 != "" && row.InputSHA256 != sumOf(was) {
			t.Errorf("%s: got digest %s, want %s", tt.name, row.InputSHA256, sumOf(was))
		}
	}
}
