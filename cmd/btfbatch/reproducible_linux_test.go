package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// A setting is a machine that repeats a batch.
type setting struct {
	name   string
	folder string // of the checkout
	cache  string // folder of the cache; two settings with one name share it
	host   string
	umask  string
	env    []string
	flags  []string
}

var settingsOfMachines = []setting{
	{"one worker, cold cache", "a", "cold", "builder-1", "022", []string{"TZ=UTC", "LC_ALL=C", "USER=root", "HOME=/root"}, []string{"--jobs", "1"}},
	{"seven workers, warm cache", "b/another/checkout of it", "cold", "laptop", "077",
		[]string{"TZ=Pacific/Auckland", "LC_ALL=tr_TR.UTF-8", "LANG=tr_TR.UTF-8", "USER=me", "GOGC=20", "GOMAXPROCS=7"}, []string{"--jobs", "7", "--memory", "500MiB"}},
	{"no cache", "c", "none", "localhost", "000", []string{"TZ=America/St_Johns", "LC_ALL=de_DE.UTF-8", "SOURCE_DATE_EPOCH=1"}, []string{"--jobs", "2", "--no-cache"}},
	{"cold cache of its own, digests compared", "d", "other", "x", "027", []string{"TZ=Asia/Kathmandu", "LC_ALL=C.UTF-8"}, []string{"--verify-inputs"}},
}

// reproducible is a manifest with all outputs.
const reproducible = `version: 1
defaults:
  kind: any
  profile: default
  outputs:
    btf: "out/${{ image.name }}.btf"
    dump: "out/${{ image.name }}.raw.gz"
    json: "out/${{ image.name }}.json.zst"
    c: "out/${{ image.name }}.h"
    archive: "out/${{ image.name }}.btf.tar.xz"
  evidence: true
images:
  - {name: "${{ image.file }}", path: "kernels/*.elf", outputs: {elf: "out/${{ image.name }}.elf"}}
  - {name: packaged, from: {deb: packages/p.deb}}
  - name: "module-${{ image.file }}"
    from: {deb: packages/p.deb, member: "lib/modules/**/*.ko"}
    base: gcc12-x86_64-dwarf5-based
    features: [default, distilled_base]
    outputs: {base: "out/${{ image.name }}.base"}
`

// checkout makes the folder of a setting.
func checkout(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// published returns the files below a folder, except those of the checkout.
func published(t *testing.T, dir string, files map[string][]byte) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || files[filepath.ToSlash(rel)] != nil {
			return err
		}
		data, err := os.ReadFile(path)
		found[rel] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestReproducible: the same manifest, lock and program give the same bytes of every output, document, sum and statement on machines that differ in
// their name, user, time zone, locale, umask, folders, number of workers and cache. They have no network.
func TestReproducible(t *testing.T) {
	peer.Installed(t, "unshare", "hostname", "sh")
	namespaces := []string{"unshare", "--user", "--map-root-user", "--mount", "--net", "--pid", "--uts", "--fork"}
	if os.Geteuid() == 0 {
		namespaces = slices.DeleteFunc(namespaces, func(word string) bool { return word == "--user" || word == "--map-root-user" })
	}
	if out, err := exec.Command(namespaces[0], append(namespaces[1:], "hostname", "probe")...).CombinedOutput(); err != nil {
		peer.Missing(t, "namespaces cannot be made here: %v: %s", err, out)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("..", "..", "corpus", "images", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	based, driver, module := read("gcc12-x86_64-dwarf5-based.elf"), read("gcc12-x86_64-dwarf5-driver.ko"), read("gcc12-x86_64-dwarf5-module.ko")
	entries := []synth.Entry{{Name: "./usr/lib/debug/boot/vmlinux-6.1.0-18-amd64", Body: based}, {Name: "./lib/modules/x/driver.ko", Body: driver}, {Name: "./lib/modules/x/module.ko", Body: module}}
	files := map[string][]byte{"m.yaml": []byte(reproducible), "kernels/gcc12-x86_64-dwarf5-based.elf": based,
		"kernels/clang19-arm64.elf": read("clang19-arm64-dwarf5-based.elf"), "kernels/gcc12-s390x.elf": read("clang19-s390x-dwarf4-based.elf"),
		"packages/p.deb": synth.DebOf(synth.Sums(entries...), "data.tar.xz", synth.XZ(synth.Tar(entries...), 8<<10))}
	root := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(root, "btfbatch") // by this name, TestMain runs the program
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	in := func(s *setting, args ...string) {
		t.Helper()
		script := fmt.Sprintf("set -e; umask %s; hostname %s; exec \"$@\"", s.umask, s.host)
		cmd := exec.Command(namespaces[0], slices.Concat(namespaces[1:], []string{"sh", "-c", script, "sh", program}, args)...)
		cmd.Dir = filepath.Join(root, s.folder)
		cmd.Env = slices.Concat([]string{"PATH=" + os.Getenv("PATH"), "BTFBATCH_CACHE=" + filepath.Join(root, "caches", s.cache)}, s.env)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", s.name, err, out)
		}
	}
	var want map[string]string
	for i := range settingsOfMachines {
		s := &settingsOfMachines[i]
		checkout(t, filepath.Join(root, s.folder), files)
		if i == 0 { // the lock is committed with the rest
			in(s, "lock", "m.yaml")
			lock, err := os.ReadFile(filepath.Join(root, s.folder, "m.yaml.lock"))
			if err != nil {
				t.Fatal(err)
			}
			files["m.yaml.lock"] = lock
		} else {
			in(s, "lock", "m.yaml", "--check")
		}
		in(s, slices.Concat([]string{"run", "m.yaml", "--locked", "--sums", "out/SHA256SUMS", "--provenance", "out/provenance.json"}, s.flags)...)
		got := published(t, filepath.Join(root, s.folder), files)
		if i == 0 {
			want = got
			if len(want) < 6*5+2 {
				t.Fatalf("got %d files: %v", len(want), slices.Sorted(maps.Keys(want)))
			}
			continue
		}
		for _, name := range slices.Compact(slices.Sorted(maps.Keys(merged(want, got)))) {
			if a, b := want[name], got[name]; a != b {
				t.Errorf("%s: %s differs from that of %s at byte %d: %d and %d bytes", s.name, name, settingsOfMachines[0].name, differsAt(a, b), len(b), len(a))
			}
		}
	}
	for name, text := range want {
		for _, word := range []string{root, "builder-1", "laptop"} {
			if strings.Contains(text, word) {
				t.Errorf("%s contains %s", name, word)
			}
		}
	}
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// differsAt returns the first byte in which two texts differ.
func differsAt(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestReproducibleLock: the lock of a manifest is the same wherever the manifest is, and whatever it is called from.
func TestReproducibleLock(t *testing.T) {
	lockable(t, 3)
	var texts [][]byte
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []struct{ folder, manifest string }{{".", "m.yaml"}, {".", "./m.yaml"}, {".", dir + "/m.yaml"}, {"..", filepath.Base(dir) + "/m.yaml"}, {"/", dir + "/m.yaml"}} {
		t.Chdir(filepath.Join(dir, from.folder))
		if from.folder == "/" {
			t.Chdir("/")
		}
		_ = os.Remove(filepath.Join(dir, "m.yaml.lock"))
		var b bytes.Buffer
		if code := run([]string{"lock", from.manifest}, &b, &b); code != 0 {
			t.Fatalf("%+v: %s", from, &b)
		}
		text, err := os.ReadFile(filepath.Join(dir, "m.yaml.lock"))
		if err != nil {
			t.Fatal(err)
		}
		if texts = append(texts, text); !bytes.Equal(text, texts[0]) {
			t.Errorf("%+v: the lock differs:\n%s\n%s", from, text, texts[0])
		}
	}
}
