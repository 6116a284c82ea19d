package source_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// spec describes a package as kernel-debuginfo is: a kernel, its modules, and a link.
const spec = `
Name: kernel-debuginfo
Epoch: 2
Version: 6.1
Release: 3.fc40
Summary: A kernel
License: none
AutoReqProv: no
%description
%install
mkdir -p %{buildroot}/usr/lib/debug/boot
cp -r tree/. %{buildroot}/usr/lib/debug/lib
ln -s ../lib/modules/6.1/vmlinux %{buildroot}/usr/lib/debug/boot/vmlinux-6.1
%files
/usr/lib/debug
`

// TestRpmbuild: packages of the real program, with every compression of the payload, are read at any offset and in order.
func TestRpmbuild(t *testing.T) {
	peer.Installed(t, "rpmbuild")
	dir := t.TempDir()
	files := map[string][]byte{"usr/lib/debug/lib/modules/6.1/kernel/a.ko.debug": image(60_000, 1), "usr/lib/debug/lib/modules/6.1/vmlinux": image(300_000, 2)}
	for name, data := range files {
		path := filepath.Join(dir, "tree", strings.TrimPrefix(name, "usr/lib/debug/lib/"))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "kernel.spec"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	for payload, magic := range map[string]string{
		"w7.xzdio": "\xfd7zXZ", "w7T2.xzdio": "\xfd7zXZ", "w3.zstdio": "\x28\xb5\x2f\xfd", "w9.gzdio": "\x1f\x8b", "w9.bzdio": "BZh", "w0.ufdio": "070701",
	} {
		pkg := rpmbuild(t, dir, payload)
		if !bytes.Contains(pkg, []byte(magic)) {
			t.Errorf("%s: the package has another compression", payload)
		}
		for _, ordered := range []bool{false, true} {
			for pattern, name := range map[string]string{
				"": "usr/lib/debug/lib/modules/6.1/vmlinux", "**/a.ko*": "usr/lib/debug/lib/modules/6.1/kernel/a.ko.debug", "usr/lib/debug/boot/vmlinux-*": "usr/lib/debug/lib/modules/6.1/vmlinux",
			} {
				p := source.NewPackage(source.Ref{Kind: source.KindRPM}, &origin{data: pkg, ordered: ordered}, limits)
				list, err := p.Members(context.Background(), pattern)
				if err != nil || len(list) != 1 {
					t.Errorf("%s, %q: got %d members, %v", payload, pattern, len(list), err)
					continue
				}
				got, err := contents(list[0])
				if err != nil || !bytes.Equal(got, files[name]) {
					t.Errorf("%s, %q, ordered %v: got %d bytes, %v, want %d", payload, pattern, ordered, len(got), err, len(files[name]))
				}
				if f := p.Facts(); f.Package != "kernel-debuginfo" || f.Version != "2:6.1-3.fc40" {
					t.Errorf("%s: got the package %q and the version %q", payload, f.Package, f.Version)
				}
			}
		}
	}
}

// rpmbuild returns the package of kernel.spec in a folder, with a payload as the macro _binary_payload describes it.
func rpmbuild(t *testing.T, dir, payload string) []byte {
	t.Helper()
	args := []string{"-bb", "--target", "x86_64"}
	for _, define := range []string{
		"_binary_payload " + payload, "_topdir " + dir + "/top", "_builddir " + dir, "_rpmdir " + dir + "/" + payload, "_tmppath " + dir + "/tmp",
		"__os_install_post %{nil}", "debug_package %{nil}", "_build_id_links none",
	} {
		args = append(args, "--define", define)
	}
	cmd := exec.Command("rpmbuild", append(args, "kernel.spec")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rpmbuild, %s: %v\n%s", payload, err, out)
	}
	found, err := filepath.Glob(filepath.Join(dir, payload, "x86_64", "*.rpm"))
	if err != nil || len(found) != 1 {
		t.Fatalf("rpmbuild, %s: got the packages %v, %v", payload, found, err)
	}
	pkg, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

// TestBzip2: a Debian package whose archive is compressed by bzip2, as old ones are.
func TestBzip2(t *testing.T) {
	peer.Installed(t, "bzip2")
	body := image(300_000, 1)
	cmd := exec.Command("bzip2", "-c")
	cmd.Stdin = bytes.NewReader(synth.Tar(synth.Entry{Name: "./" + kernel, Body: body}))
	packed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	pkg := synth.Deb("data.tar", packed)
	for _, ordered := range []bool{false, true} {
		got, err := only(source.KindDeb, pkg, ordered, kernel, limits)
		if !bytes.Equal(got, body) || err != nil {
			t.Errorf("ordered %v: got %d bytes, %v, want %d", ordered, len(got), err, len(body))
		}
		if _, err := only(source.KindDeb, pkg[:len(pkg)-2000], ordered, kernel, limits); err == nil {
			t.Errorf("ordered %v: a package that is cut is accepted", ordered)
		}
	}
}
