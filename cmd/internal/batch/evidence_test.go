package batch

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/dump"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// outputsOf runs a manifest in a folder of its own, and returns the files that it wrote.
func outputsOf(t *testing.T, text string, workers int) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	image, err := os.ReadFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "sample.elf"), image, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := config.Parse(filepath.Join(dir, "m.yaml"), []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	items := corpus.Resolve(context.Background(), m, corpus.Sources{})
	r := Run(context.Background(), Jobs(items, ""), Options{
		Encoding: Encoding{Workers: workers}, Lint: Lint{On: true, Earlier: filepath.Join(dir, "none"), Loss: 0.02}, Tool: report.Tool{Name: "btfbatch", Version: "v1"},
	})
	if r.ExitCode() != exitcode.OK {
		for _, row := range r.Rows() {
			t.Errorf("%s: %s", row.Name, row.Error)
		}
		t.Fatal("the run failed")
	}
	files := map[string][]byte{}
	err = filepath.WalkDir(filepath.Join(dir, "out"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const evidenceManifest = `version: 1
defaults:
  evidence: true
  kind: any
  outputs: {btf: "out/${{ image.name }}.btf"}
images:
  - {name: v, path: sample.elf, verify: [6.1, newest], lang_exclude: rust, sections: [{section: .data*, exclude: [unnamed, "__k*"]}],
     evidence: out/v.json, outputs: {archive: out/5.15.0-x.btf.tar.xz, c: out/vmlinux.h, json: out/v.types.json, elf: out/v.elf, dump: out/v.raw.zst}}
  - {name: m, path: sample.elf, base: v, outputs: {btf: ~, archive: out/m.tar.gz}}
  - {name: z, path: sample.elf, outputs: {archive: out/z.btf.tar.zst}}
`

// The same manifest and image give the same bytes of all files in another folder, with another number of workers. Documents are valid by the
// schema, and have the digests of the files.
func TestEvidence(t *testing.T) {
	files := outputsOf(t, evidenceManifest, 1)
	want := []string{"out/5.15.0-x.btf.tar.xz", "out/m.tar.gz", "out/m.tar.gz.evidence.json", "out/v.btf", "out/v.elf", "out/v.json", "out/v.raw.zst",
		"out/v.types.json", "out/vmlinux.h", "out/z.btf", "out/z.btf.evidence.json", "out/z.btf.tar.zst"}
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, want) {
		t.Fatalf("got files %q, want %q", got, want)
	}
	for _, workers := range []int{2, 7} {
		for name, data := range outputsOf(t, evidenceManifest, workers) {
			if !bytes.Equal(data, files[name]) {
				t.Errorf("%d workers: %s differs", workers, name)
			}
		}
	}
	schema := evidenceSchema(t)
	for _, name := range []string{"out/v.json", "out/m.tar.gz.evidence.json", "out/z.btf.evidence.json"} {
		var doc map[string]any
		if err := json.Unmarshal(files[name], &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, o := range doc["outputs"].([]any) {
			o := o.(map[string]any)
			data, ok := files["out/"+o["name"].(string)]
			if sum := digestOf(data); !ok || o["sha256"] != sum || o["bytes"] != float64(len(data)) {
				t.Errorf("%s: got output %v, the file has %d bytes and digest %s", name, o, len(data), sum)
			}
		}
	}
	text := string(files["out/v.json"])
	for _, part := range []string{`"name": "v"`, `"file": "sample.elf"`, `"lang_exclude": [`, `"__k*"`, `"kernel": "6.1"`, `"STRUCT": `, `"name": "5.15.0-x.btf.tar.xz"`} {
		if !strings.Contains(text, part) {
			t.Errorf("v.json lacks %s: %s", part, text)
		}
	}
	if strings.Contains(text, os.TempDir()) {
		t.Errorf("v.json has a path of this machine: %s", text)
	}
	for _, c := range [][2]string{{`"schema": 1`, `"schema": 2`}, {`"kind": "btf"`, `"kind": "exe"`}, {`"profile": "default"`, `"profile": "odd"`},
		{`"types": `, `"typos": `}, {`"name": "v"`, `"name": ""`}} {
		bad := strings.Replace(text, c[0], c[1], 1)
		var doc any
		if err := json.Unmarshal([]byte(bad), &doc); err != nil || bad == text || schema.Validate(doc) == nil {
			t.Errorf("a document with %s is valid (%v)", c[1], err)
		}
	}
}

func evidenceSchema(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "evidence", "evidence.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// An archive has one file, as hubs have it; C and JSON are what dump prints.
func TestConsumers(t *testing.T) {
	files := outputsOf(t, evidenceManifest, 1)
	o, err := btf.Parse(files["out/v.btf"], nil)
	if err != nil {
		t.Fatal(err)
	}
	var c, j bytes.Buffer
	if err := dump.WriteC(&c, o, dump.COptions{PointerSize: 8}); err != nil {
		t.Fatal(err)
	}
	if err := dump.WriteJSON(&j, o, false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.Bytes(), files["out/vmlinux.h"]) || !bytes.Equal(j.Bytes(), files["out/v.types.json"]) || c.Len() == 0 {
		t.Error("C or JSON is not what dump prints")
	}
	for name, want := range map[string]string{"out/5.15.0-x.btf.tar.xz": "5.15.0-x.btf", "out/m.tar.gz": "m.btf", "out/z.btf.tar.zst": "z.btf"} {
		var z io.Reader
		var err error
		switch r := bytes.NewReader(files[name]); filepath.Ext(name) {
		case ".xz":
			z, err = xz.NewReader(r)
		case ".gz":
			z, err = gzip.NewReader(r)
		case ".zst":
			z, err = zstd.NewReader(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		in := tar.NewReader(z)
		h, err := in.Next()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s %o %d %d:%d %s:%s %d", h.Name, h.Mode, h.ModTime.Unix(), h.Uid, h.Gid, h.Uname, h.Gname, h.Typeflag); got != want+" 444 0 0:0 root:root 48" {
			t.Errorf("%s: got %s", name, got)
		}
		if name == "out/m.tar.gz" {
			continue // split BTF, which is in no other output
		}
		if !bytes.Equal(data, files[map[string]string{"z.btf": "out/z.btf", "5.15.0-x.btf": "out/v.btf"}[want]]) {
			t.Errorf("%s has other BTF than outputs.btf", name)
		}
		if _, err := in.Next(); err != io.EOF {
			t.Errorf("%s has a second file (%v)", name, err)
		}
	}
}

func digestOf(data []byte) string {
	sum := tally{hash: sha256.New()}
	sum.w = io.Discard
	_, _ = sum.Write(data)
	return sum.digest()
}
