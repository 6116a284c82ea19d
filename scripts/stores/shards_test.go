package stores

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote"
)

// contentsOf returns what readers get from a store: the digests of what is under each name.
func contentsOf(t *testing.T, kind string, s *server, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	switch kind {
	case "registry":
		repo, err := remote.NewRepository(s.host + "/owner/btf")
		if err != nil {
			t.Fatal(err)
		}
		repo.PlainHTTP = true
		err = repo.Tags(t.Context(), "", func(tags []string) error {
			for _, tag := range tags {
				_, _, digest, err := pull(t, s.host, tag)
				if err != nil {
					return err
				}
				all[tag] = digest
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	case "bucket":
		for name, data := range objects(t, s) {
			all[name] = sum(data)
		}
	default:
		err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				data, readErr := os.ReadFile(path)
				all[strings.TrimPrefix(path, folder)], err = sum(data), readErr
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestShards: a batch that is published by 3 or 17 shards, without results and with those of an earlier run, leaves the same bytes under the same names
// as one that is published by one run, in every kind of store.
func TestShards(t *testing.T) {
	images, err := filepath.Abs(filepath.Dir(image))
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"registry", "bucket", "folder"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var alone map[string]string
			for _, shards := range []int{1, 3, 17} {
				var s *server
				folder := t.TempDir()
				to := folder + "/${{ image.name }}"
				w := newWorkspace(t, to)
				switch kind {
				case "registry":
					s = newRegistry(t)
					to = "oci://" + s.host + "/owner/btf:${{ image.name }}"
				case "bucket":
					s = newBucket(t, "kernels")
					w = bucketWorkspace(t, s)
					to = "s3://kernels/${{ image.name }}"
				}
				w.write("m.yaml", fmt.Sprintf("version: 1\nimages:\n- {name: \"${{ image.file }}\", path: \"%s/*-dwarf5-based.elf\", kind: any, evidence: true, "+
					"publish: \"%s\", outputs: {btf: \"out/${{ image.file }}.btf\"}}\n", images, to))
				for _, cold := range []bool{true, false} {
					for i := range shards {
						w.run(0, "run", "--publish", "m.yaml", fmt.Sprintf("--shard=%d/%d", i, shards), fmt.Sprintf("--report=json=reports/%d.json", i))
					}
					got := contentsOf(t, kind, s, folder)
					if alone == nil {
						alone = got
					}
					if len(got) < 5 || !maps.Equal(got, alone) {
						t.Errorf("%d shards, cold: %v: got %d names, want %d; %q", shards, cold, len(got), len(alone), slices.Sorted(maps.Keys(got)))
					}
				}
				out := w.run(0, "report", "merge", "--manifest=m.yaml", "reports", "--sums=SHA256SUMS")
				if !strings.Contains(out, " there") || strings.Contains(out, "failed") {
					t.Errorf("%d shards: the second run published again:\n%s", shards, out)
				}
			}
		})
	}
}
