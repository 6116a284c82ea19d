package pahole

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// kernelCalls lists the options that kernel builds pass to -J for different versions of pahole (rule 02/3.1), with those that Debian appends.
var kernelCalls = []string{
	"",                         // 5.2
	"--skip_encoding_btf_vars", // 5.13
	"--btf_gen_floats",         // 5.14
	"--skip_encoding_btf_vars --btf_gen_floats",
	"-j --btf_gen_floats", // 5.17
	"--btf_gen_floats --skip_encoding_btf_enum64",
	"-j --btf_gen_floats --lang_exclude=rust",
	"-j --btf_gen_floats --skip_encoding_btf_inconsistent_proto --btf_gen_optimized --lang_exclude=rust", // 6.5
	"-j --btf_features=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func",
	kernel6_12 + " -j --lang_exclude=rust",
	kernel6_12 + " -j2 --btf_features=+reproducible_build",
	kernel6_12 + " -j2 --btf_features=attributes --lang_exclude=rust",
	"-j2 --btf_features=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func --lang_exclude=rust",
}

const kernel6_12 = "-j --btf_features=encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func,decl_tag_kfuncs"

// otherCalls lists options that affect each other.
var otherCalls = []string{
	"--btf_features=default", "--btf_features=", "--btf_features=foo", "--btf_features=+global_var", "--btf_features=var,+float",
	"--skip_encoding_btf_vars --btf_features=var", "--btf_features=var --skip_encoding_btf_vars",
	"--btf_gen_floats --btf_features=var", "--btf_features=var --btf_gen_floats", "--btf_features=var --btf_features=float",
	"--btf_features_strict=default,true_signature", "--btf_features=+global_var,attributes,true_signature,force_cu_merging",
	"--btf_features=+", "--btf_features=,", "--btf_features=,var,,float,", "--btf_features=Var", "--btf_features=default,foo", "--btf_features=+foo",
	"--btf_features=var,default", "--btf_features=default --skip_encoding_btf_enum64", "--skip_encoding_btf_type_tag --btf_features=+",
	"--features=default", "--features=foo", "--btf_features_strict=foo", "--btf_features_strict=", "--btf_features_strict=default",
	"--btf_features_strict=+foo", "--btf_features_strict=+var", "--btf_features_strict=var,", "--btf_features_strict=var,foo,bar",
	"-V --btf_features=var,default", "-V --btf_features=+default", "-V --features=foo,bar", "--btf_features=foo -V", "-V --btf_features_strict=default,var",
	"--skip_encoding_btf_decl_tag --skip_encoding_btf_type_tag", "--btf_attributes", "--btf_encode_force",
	"--lang=c11", "--lang=rust", "--lang_exclude=c11,asm", "--lang=c11 --lang_exclude=asm", "--lang_exclude=foo", "--lang_exclude=c11,",
	"-X src/m", "-X src/m -X nothing", "-X=", "--cu_exclude=", "--kabi_prefix=s", "--kabi_prefix=__ --btf_features=default",
	"--fixup_silly_bitfields --btf_features=default", "--first_obj_only", "-V --btf_features=foo", "--btf_base=/nowhere", "--hex -c 64", "-j4x", "--btf_f=var", "--skip_encoding_btf", "-JQ", "--reproducible_build=1",
}

// image returns the path of a committed image.
func image(name string) string { return filepath.Join("..", "..", "..", "corpus", "images", name) }

// An outcome is the result of a call.
type outcome struct {
	code     int
	out, err string
	btf      []byte
}

// theirs runs pahole.
func theirs(t *testing.T, args []string) (o outcome) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(filepath.Join(peer.Dir(t), "bin", "pahole"), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	err := cmd.Run()
	var e *exec.ExitError
	if err != nil && !errors.As(err, &e) {
		t.Fatal(err)
	}
	return outcome{code: cmd.ProcessState.ExitCode(), out: out.String(), err: errs.String()}
}

// ours runs the package.
func ours(t *testing.T, args []string) outcome {
	t.Helper()
	return oursBy(rules.Pahole)(t, args)
}

// oursBy is ours with a subset of pahole's rules.
func oursBy(peer rules.Set) func(*testing.T, []string) outcome {
	return func(t *testing.T, args []string) outcome {
		t.Helper()
		var out, errs bytes.Buffer
		code, _ := runBy(Signals{Listen: context.Background}, peer, "pahole", args, &out, &errs)
		return outcome{code: code, out: out.String(), err: errs.String()}
	}
}

// detached runs a call that writes raw BTF.
func detached(t *testing.T, call func(*testing.T, []string) outcome, line string, args ...string) outcome {
	t.Helper()
	path := filepath.Join(t.TempDir(), "btf")
	o := call(t, append(append(words("-J "+line), "--btf_encode_detached="+path), args...))
	var err error
	if o.btf, err = os.ReadFile(path); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return o
}

// same compares outcomes. It allows for three differences: pahole prints its whole path before a usage error, it lacks the feature layout
// if its libbpf does, and its errors about files have other texts.
func same(t *testing.T, line string, got, want outcome) {
	t.Helper()
	if want.code == exitcode.OK && (strings.Contains(line, "-V") || strings.Contains(line, "--verbose")) { // pahole prints much more
		want.out, want.err = skipped(want.out), ignored(want.err)
		got.err = strings.ReplaceAll(got.err, linesWith(got.err, "pahole: warning: "), "") // pahole has none, see docs/drop-in.md
	}
	if got.code != want.code || got.out != want.out {
		t.Errorf("%s: got exit code %d, output %.200q, want %d, %.200q", line, got.code, got.out, want.code, want.out)
	}
	if !bytes.Equal(got.btf, want.btf) {
		t.Errorf("%s: got %d bytes of BTF, want %d, or their bytes differ", line, len(got.btf), len(want.btf))
	}
	text := want.err
	if i := strings.Index(text, "/pahole: "); i >= 0 && want.code == exitcode.PaholeUsage {
		text = text[i+1:]
	}
	switch printed := strings.ReplaceAll(got.err, "layout,", ""); {
	case strings.HasPrefix(text, "Failed to parse base BTF"):
		if p, _, _ := strings.Cut(text, ": "); !strings.HasPrefix(printed, p+": ") {
			t.Errorf("%s: got %q, want %q and the cause", line, printed, p)
		}
	case text == "" && got.code == exitcode.OK && got.out == "" && want.btf == nil: // nothing to encode, which pahole does not print
		if !strings.Contains(printed, "nothing to encode") {
			t.Errorf("%s: got %q, want %q", line, printed, "nothing to encode")
		}
	case printed != text:
		t.Errorf("%s: got %q, want %q", line, printed, text)
	}
}

// ignored returns the lines about unknown features.
func ignored(text string) string { return linesWith(text, "Ignoring unsupported feature ") }

// TestDetachedLikePeer: every call has the same outcome as with pahole.
func TestDetachedLikePeer(t *testing.T) {
	for _, name := range []string{"gcc12-x86_64-dwarf5-based.elf", "clang19-x86_64-dwarf5-lto.elf", "gcc12-x86_64-dwarf5-zerobased.elf", "gcc12-s390x-dwarf5-based.elf",
		"clang19-arm64-dwarf5-based.elf", "gcc12-i386-dwarf5-based.elf"} {
		t.Run(name, func(t *testing.T) {
			for _, line := range append(kernelCalls, otherCalls...) {
				same(t, line, detached(t, ours, line, image(name)), detached(t, theirs, line, image(name)))
			}
		})
	}
}

// TestTextsLikePeer: calls without an image print the same texts as pahole.
func TestTextsLikePeer(t *testing.T) {
	for _, line := range []string{"--version", "--numeric_version", "--supported_btf_features", "--version --foo", "--foo --version", "--=x",
		"--lang_exclude=foo --numeric_version", "--numeric_version --btf_base=nope", "-JB", "--btf_encode_detached", "--s", "--c", "--lang_exc", "--btf_features"} {
		got := ours(t, words(line))
		got.out = strings.ReplaceAll(got.out, "layout,", "")
		same(t, line, got, theirs(t, words(line)))
	}
}

// TestInPlaceLikePeer: the BTF of a kernel module goes into its file, twice, with an ELF file as its base, and with or without a
// distilled base.
func TestInPlaceLikePeer(t *testing.T) {
	for _, m := range []struct{ module, base string }{
		{"gcc12-x86_64-dwarf5-driver.ko", "gcc12-x86_64-dwarf5-based.elf"},
		{"gcc12-i386-dwarf5-driver.ko", "gcc12-i386-dwarf5-based.elf"},
		{"gcc12-s390x-dwarf5-driver.ko", "gcc12-s390x-dwarf5-based.elf"},
	} {
		for _, line := range []string{kernel6_12, kernel6_12 + " --btf_features=distilled_base"} {
			t.Run(m.module+" "+line, func(t *testing.T) {
				got, want := inPlace(t, ours, line, m.module, m.base), inPlace(t, theirs, line, m.module, m.base)
				for i, name := range []string{"vmlinux " + btf.SectionBTF, btf.SectionBTF, btf.SectionBase} {
					if !bytes.Equal(got[i], want[i]) {
						t.Errorf("section %s: got %d bytes, want %d, or their bytes differ", name, len(got[i]), len(want[i]))
					}
				}
				if got[0] == nil || got[1] == nil || (got[2] != nil) != strings.Contains(line, "distilled") {
					t.Errorf("got sections of %d, %d and %d bytes", len(got[0]), len(got[1]), len(got[2]))
				}
			})
		}
	}
}

// inPlace encodes a kernel and its module into their own files, twice, and returns their sections.
func inPlace(t *testing.T, call func(*testing.T, []string) outcome, line, module, base string) [3][]byte {
	t.Helper()
	dir := t.TempDir()
	vmlinux, ko := filepath.Join(dir, "vmlinux"), filepath.Join(dir, "m.ko")
	copyFile(t, image(base), vmlinux)
	copyFile(t, image(module), ko)
	for range 2 {
		for _, args := range [][]string{append(words("-J "+kernel6_12), vmlinux), append(words("-J "+line), "--btf_base", vmlinux, ko)} {
			if o := call(t, args); o.code != 0 || o.out != "" || o.err != "" {
				t.Fatalf("%q: got %d, %q, %q", args, o.code, o.out, o.err)
			}
		}
	}
	return [3][]byte{section(t, vmlinux, btf.SectionBTF), section(t, ko, btf.SectionBTF), section(t, ko, btf.SectionBase)}
}

// TestSeveralInPlace: the BTF of several files goes into the first file of which a CU is kept, and the other files do not change.
func TestSeveralInPlace(t *testing.T) {
	for _, line := range []string{"--btf_features=default", "--btf_features=default --lang_exclude=c11", "-X src"} {
		got, want := severalInPlace(t, ours, line), severalInPlace(t, theirs, line)
		if !bytes.Equal(got.btf, want.btf) || got.out != want.out || got.code != want.code {
			t.Errorf("%s: got %q, %d bytes, want %q, %d bytes, or their bytes differ", line, got.out, len(got.btf), want.out, len(want.btf))
		}
	}
}

// severalInPlace encodes three files. The output of the outcome is the names of the files that have BTF afterwards.
func severalInPlace(t *testing.T, call func(*testing.T, []string) outcome, line string) (o outcome) {
	t.Helper()
	dir := t.TempDir()
	args := words("-J " + line)
	names := []string{"plain.elf", "rust.elf", "clang.elf"}
	for _, name := range names {
		copyFile(t, filepath.Join("..", "..", "..", "corpus", "unusual", name), filepath.Join(dir, name))
		args = append(args, filepath.Join(dir, name))
	}
	o = call(t, args)
	for _, name := range names {
		if wire := section(t, filepath.Join(dir, name), btf.SectionBTF); wire != nil {
			o.btf = append(o.btf, wire...)
			o.out += name
		}
	}
	return o
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// section returns the contents of a section, or nil if there is none.
func section(t *testing.T, path, name string) []byte {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Section(name)
	if s == nil {
		return nil
	}
	data, err := s.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}
