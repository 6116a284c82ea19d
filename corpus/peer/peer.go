// Package peer runs pahole for tests. Its output decides whether a rule is correct.
//
// Input: an image. Output: pahole's BTF for it. Without a lab the test is skipped, or fails with BTFBATCH_REQUIRE_PEERS=1.
// Never: the package is not part of the product, and does not interpret pahole's output.
package peer

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Lab returns the folder with pahole, bpftool and kernels, whether or not it exists: the environment variable LAB, by default .lab beside the checkout.
func Lab(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("LAB")
	if dir == "" {
		dir = filepath.Join(root(t), "..", ".lab")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Required reports whether a test must fail, rather than be skipped, if the lab lacks what the test needs.
func Required() bool { return os.Getenv("BTFBATCH_REQUIRE_PEERS") == "1" }

// Missing skips the test, or fails it with BTFBATCH_REQUIRE_PEERS=1.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if Required() {
		t.Fatalf("required: "+format, args...)
	}
	t.Skipf(format, args...)
}

// Program is the path of a program of the lab, such as bpftool. If it is missing, the test is skipped, or fails.
func Program(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Lab(t), "bin", name)
	if _, err := os.Stat(path); err != nil {
		Missing(t, "no peers: %v", err)
	}
	return path
}

// Installed checks that programs of the system are on the PATH. If one is missing, the test is skipped, or fails.
func Installed(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			Missing(t, "not installed: %v", err)
		}
	}
}

// Dir is Lab if the lab has pahole; otherwise the test is skipped, or fails.
func Dir(t testing.TB) string {
	t.Helper()
	Program(t, "pahole")
	return Lab(t)
}

// begun is the folder in which the tests begin. A test may change it before it asks for the lab.
var begun, errBegun = os.Getwd()

// root is the folder of go.mod, at or above the folder of the test.
func root(t testing.TB) string {
	t.Helper()
	dir, err := begun, errBegun
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// Encode returns pahole's BTF for an image. It is nil if pahole writes nothing, which is how pahole fails.
func Encode(t testing.TB, image []byte, features []string, args ...string) []byte {
	t.Helper()
	return EncodeAll(t, [][]byte{image}, features, args...)
}

// list returns the value of --btf_features. For an empty set it is a feature without effect, because any list switches the defaults
// off.
func list(features []string) string {
	if len(features) == 0 {
		return "reproducible_build"
	}
	return strings.Join(features, ",")
}

// EncodeAll is Encode for several images that give one BTF.
func EncodeAll(t testing.TB, images [][]byte, features []string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	for i, image := range images {
		path := filepath.Join(dir, fmt.Sprintf("image%d", i))
		if err := os.WriteFile(path, image, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	return run(t, features, args...)
}

// run runs pahole with options and files.
func run(t testing.TB, features []string, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "btf")
	args = append([]string{"-J", "-j2", "--btf_features=" + list(features), "--btf_encode_detached=" + out}, args...)
	cmd := exec.Command(filepath.Join(Dir(t), "bin", "pahole"), args...)
	text, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if os.IsNotExist(err) {
		t.Logf("the peer wrote nothing: %s", text)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Kernels returns the names of the lab's kernels.
func Kernels(t testing.TB) []string {
	t.Helper()
	const suffix = ".vmlinux"
	paths, err := filepath.Glob(filepath.Join(Dir(t), "kernels", "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(p), suffix)
	}
	return names
}

// Kernel returns the path of a lab kernel. Without it the test is skipped, or fails with BTFBATCH_REQUIRE_PEERS=1.
func Kernel(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Dir(t), "kernels", name+".vmlinux")
	if _, err := os.Stat(path); err != nil {
		Missing(t, "no kernel: %v", err)
	}
	return path
}

// Section returns the content of a section of a lab kernel. Without the kernel the test is skipped, or fails, as with Kernel.
func Section(t testing.TB, name, section string) []byte {
	t.Helper()
	f, err := elf.Open(Kernel(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Section(section)
	if s == nil {
		t.Fatalf("kernel %s has no section %s", name, section)
	}
	data, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Committed returns pahole's BTF for the "based" and "zerobased" images in corpus/images, by the name of its file.
func Committed(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root(t), "corpus", "images", "*based.btf.golden"))
	if err != nil || len(paths) < 5 {
		t.Fatalf("%d images, %v", len(paths), err)
	}
	list := make(map[string][]byte, len(paths))
	for _, path := range paths {
		if list[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// Same compares an encoder's BTF for an image, nil if it failed, with pahole's BTF with the same features. show formats BTF for the
// message of a failure.
func Same(t testing.TB, image []byte, features []string, got []byte, show func(btf []byte) string) {
	t.Helper()
	want := Encode(t, image, features)
	switch {
	case got == nil && want != nil:
		t.Errorf("got an error, want pahole's %d bytes", len(want))
	case got != nil && !bytes.Equal(got, want):
		t.Errorf("got\n%s\nwant pahole's\n%s", show(got), show(want))
	}
}

// EncodeKernel is Encode for a lab kernel. pahole needs seconds for one, so its output is kept in the lab's peer-cache. The key is
// the kernel's name and digest, the arguments, and pahole's version.
func EncodeKernel(t testing.TB, name string, features []string, args ...string) []byte {
	t.Helper()
	return Kept(t, name, encoding(features, args), "btf", func(path string) []byte {
		return run(t, features, append(slices.Clone(args), path)...)
	})
}

// Keeps reports whether the lab keeps the output of EncodeKernel.
func Keeps(t testing.TB, name string, features []string, args ...string) bool {
	t.Helper()
	_, err := os.Stat(keptAs(t, Kernel(t, name), name, encoding(features, args), "btf"))
	return err == nil
}

// encoding describes a call of EncodeKernel.
func encoding(features, args []string) string { return fmt.Sprintf("%s %q", list(features), args) }

// keptAs returns the file in which the lab keeps output for the kernel at path.
func keptAs(t testing.TB, path, name, how, ext string) string {
	t.Helper()
	sum := sha256.Sum256(fmt.Appendf(nil, "%x %s %s", digest(t, path), version(t), how))
	return filepath.Join(Dir(t), "peer-cache", fmt.Sprintf("%s-%x.%s", name, sum[:8], ext))
}

// Kept returns the output of made for a lab kernel. made is called with the kernel's path, once for each kernel, version of pahole and
// how, a description of made. Then the lab keeps the output, in a file with the extension ext.
func Kept(t testing.TB, name, how, ext string, made func(path string) []byte) []byte {
	t.Helper()
	path := Kernel(t, name)
	kept := keptAs(t, path, name, how, ext)
	if data, err := os.ReadFile(kept); err == nil {
		return data
	}
	data := made(path)
	if data == nil {
		t.Fatalf("pahole wrote nothing for %s", name)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		t.Fatal(err)
	}
	// Write to another name and rename: another test may be reading.
	part := fmt.Sprintf("%s.%d", kept, os.Getpid())
	if err := os.WriteFile(part, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(part, kept); err != nil {
		t.Fatal(err)
	}
	return data
}

var digests sync.Map // path of a kernel → SHA-256 of its content

func digest(t testing.TB, path string) []byte {
	t.Helper()
	if d, ok := digests.Load(path); ok {
		return d.([]byte)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	d := h.Sum(nil)
	digests.Store(path, d)
	return d
}

var versions sync.Map // folder of the lab → version of its pahole

func version(t testing.TB) string {
	t.Helper()
	dir := Dir(t)
	if v, ok := versions.Load(dir); ok {
		return v.(string)
	}
	text, err := exec.Command(filepath.Join(dir, "bin", "pahole"), "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	v := strings.TrimSpace(string(text))
	versions.Store(dir, v)
	return v
}
