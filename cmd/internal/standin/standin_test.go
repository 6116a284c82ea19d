package standin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/pahole"
	"github.com/btfbatch/btfbatch/cmd/internal/stream"
)

// TestImports: nothing that pahole does not need is initialised before it runs.
func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/btfbatch/btfbatch/encoder") {
		t.Fatalf("the list of %d packages lacks the encoder", len(deps))
	}
	for _, heavy := range []string{
		"crypto/rand", "crypto/tls", "crypto/x509", "encoding/xml", "github.com/btfbatch/btfbatch/config", "github.com/btfbatch/btfbatch/golden",
		"github.com/btfbatch/btfbatch/encoder/input/codecs", "github.com/google/jsonschema-go/jsonschema", "github.com/klauspost/compress/zstd",
		"github.com/rs/zerolog", "github.com/spf13/cobra", "gopkg.in/yaml.v3", "html/template", "net/http", "runtime/metrics",
		"weak", // which comes late in the order of import paths, and nearly all other packages before it
	} {
		if slices.Contains(deps, heavy) {
			t.Errorf("package standin leads to %s", heavy)
		}
	}
}

// TestAtOnce: package atonce waits for no other package.
func TestAtOnce(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Imports}}", "./atonce")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != "[unsafe]" {
		t.Errorf("package atonce imports %s (%v), want unsafe only", out, err)
	}
}

// TestNowhere: packages that would be initialised before this one wherever they are imported, and take long for it, are nowhere in the program.
func TestNowhere(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "../../btfbatch").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "gopkg.in/yaml.v3") {
		t.Fatalf("the list of %d packages lacks that for YAML", len(deps))
	}
	if slices.Contains(deps, "runtime/metrics") {
		t.Error("the program imports runtime/metrics")
	}
}

// failing is a writer that returns an error.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestRun: errors of the standard output are reported, unless nobody reads it, and make the program fail.
func TestRun(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	defer func() {
		runtime.GOMAXPROCS(procs)
		pahole.Processors = 0
	}()
	for _, tc := range []struct {
		out  io.Writer
		args []string
		code int
		told string
	}{
		{new(bytes.Buffer), []string{"--version"}, 0, ""},
		{failing{errors.New("the disk is full")}, []string{"--version"}, 1, "btfbatch: standard output: the disk is full\n"},
		{failing{syscall.EPIPE}, []string{"--version"}, 1, ""},
		{new(bytes.Buffer), []string{"-J"}, 64, "no file to encode"},
	} {
		var told bytes.Buffer
		code, _ := run(append([]string{"pahole"}, tc.args...), tc.out, &lines{out: stream.New(&told)})
		if code != tc.code || !strings.Contains(told.String(), tc.told) || tc.told == "" && told.Len() > 0 {
			t.Errorf("%q: got exit code %d and %q, want %d and %q", tc.args, code, told.String(), tc.code, tc.told)
		}
		if pahole.Processors < 1 {
			t.Errorf("%q: package pahole does not know the number of processors", tc.args)
		}
		runtime.GOMAXPROCS(procs)
	}
}

// TestCompressed: a call with a compressed file is not ready while its codec is not registered, and its warnings are printed at once, and once only. Nor
// is one with a pipe, of which it reads nothing.
func TestCompressed(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	defer func() {
		runtime.GOMAXPROCS(procs)
		pahole.Processors = 0
	}()
	image := filepath.Join(t.TempDir(), "vmlinux.gz")
	if err := os.WriteFile(image, []byte("\x1f\x8b\x08 and so on"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, err := in.WriteString("\x1f\x8b\x08 and so on"); err != nil {
		t.Fatal(err)
	}
	in.Close()
	piped := fmt.Sprintf("/dev/fd/%d", pipe.Fd())
	for _, args := range [][]string{
		{"-J", piped},
		{"-J", "--btf_base=" + piped, "standin_test.go"},
		{"-V", "-J", "--btf_features=nosuch", image},
		{"-J", "--btf_base=" + image, "standin_test.go"},
	} {
		var out, told bytes.Buffer
		errs := lines{out: stream.New(&told)}
		for range 2 {
			if _, ready := run(append([]string{"pahole"}, args...), &out, &errs); ready || out.Len() > 0 {
				t.Errorf("%q: ready %t, printed %q", args, ready, out.String())
			}
			want := ""
			if slices.Contains(args, "--btf_features=nosuch") {
				want = "Ignoring unsupported feature 'nosuch'\n"
			}
			if told.String() != want {
				t.Errorf("%q: printed %q, want %q once", args, told.String(), want)
			}
			errs.again()
		}
	}
	if left, err := io.ReadAll(pipe); err != nil || len(left) != 13 {
		t.Errorf("%q is left in the pipe (%v), want all of it", left, err)
	}
}

// TestCompressedRelocations: a call is not ready either if a section is compressed that pahole would do without if it could not read it.
func TestCompressedRelocations(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	defer func() {
		runtime.GOMAXPROCS(procs)
		pahole.Processors = 0
	}()
	data, err := os.ReadFile("../../../corpus/images/gcc12-x86_64-dwarf5-module.ko")
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	index := slices.IndexFunc(f.Sections, func(s *elf.Section) bool { return s.Name == ".rela.debug_info" })
	if index < 0 {
		t.Fatal("the module has no relocations")
	}
	const headerSize, zstd = 64, 2
	le, s := binary.LittleEndian, f.Sections[index]
	header := data[le.Uint64(data[40:])+uint64(index)*headerSize:]
	le.PutUint64(header[8:], uint64(s.Flags|elf.SHF_COMPRESSED))
	le.PutUint32(data[s.Offset:], zstd)
	le.PutUint64(data[s.Offset+8:], s.Size)
	image := filepath.Join(t.TempDir(), "module.ko")
	if err := os.WriteFile(image, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, told bytes.Buffer
	if _, ready := run([]string{"pahole", "-J", image}, &out, &lines{out: stream.New(&told)}); ready || out.Len()+told.Len() > 0 {
		t.Errorf("ready %t, printed %q and %q", ready, out.String(), told.String())
	}
}
