package embed_test

import (
	stdelf "debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/cmd/internal/embed"
	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// blob returns BTF with a type long of that size, a struct and a function.
func blob(longSize uint32, structName, funcName string) []byte {
	return blobWith(longSize, structName, funcName, 0)
}

// blobWith is blob with a function whose name begins skip bytes behind the beginning of a string.
func blobWith(longSize uint32, structName, funcString string, skip uint32) []byte {
	o := btf.New(binary.LittleEndian, nil)
	name := func(s string) uint32 { return o.Strings.Add([]byte(s)) }
	long := uint32(o.Append(name("long int"), btf.Info(btf.KindInt, 0, false), longSize, btf.IntSigned<<24|8*longSize))
	o.Append(name(structName), btf.Info(btf.KindStruct, 1, false), longSize, name("state"), long, 0)
	proto := uint32(o.Append(0, btf.Info(btf.KindFuncProto, 0, false), long))
	o.Append(name(funcString)+skip, btf.Info(btf.KindFunc, btf.LinkageStatic, false), proto)
	return o.AppendWire(nil)
}

// TestFit: BTF that seems to be another image's is embedded with a warning. BTF that cannot be the image's is not embedded.
func TestFit(t *testing.T) {
	target := synth.Target{Class: stdelf.ELFCLASS64, Order: binary.LittleEndian, Machine: stdelf.EM_X86_64, Type: stdelf.ET_EXEC, DWARF: 5}
	hello := synth.New(target)
	hello.Symbol("main", hello.Text(".text", 0x1000, 64).At(0), 16, stdelf.STT_FUNC)
	module := target
	module.Type = stdelf.ET_REL
	tun := synth.New(module)
	tun.Section(".modinfo", stdelf.SHT_PROGBITS, stdelf.SHF_ALLOC, 0, []byte("name=tun\x00vermagic=6.1.0 SMP\x00"))
	tun.Symbol("main", tun.Text(".text", 0, 64).At(0), 16, stdelf.STT_FUNC)
	program, mod := hello.Bytes(), tun.Bytes()
	const neither = "neither a kernel (it has no linux_banner) nor a module (it has no .modinfo)"
	for _, tt := range []struct {
		name      string
		image     []byte
		btf       []byte
		want      []string // warnings
		wantError string
	}{
		{"a kernel's into a program", program, blob(8, "task_struct", "start_kernel"), []string{
			"the BTF is that of a kernel (it has struct task_struct), but the image is " + neither,
			"1 of 1 functions of the BTF are not in the image, such as start_kernel: the BTF seems to be that of another image"}, ""},
		{"a program's own", program, blob(8, "mine", "main"), []string{"the image is " + neither}, ""},
		{"a name that is the end of another string", program, blobWith(8, "mine", "xmain", 1), []string{"the image is " + neither}, ""},
		{"such a name without a symbol", program, blobWith(8, "mine", "xmain", 2), []string{"the image is " + neither,
			"1 of 1 functions of the BTF are not in the image, such as ain: the BTF seems to be that of another image"}, ""},
		{"whole BTF into a module", mod, blob(8, "mine", "main"), []string{"the BTF is not split, but the image is a module, and kernels expect the BTF of a module to be split"}, ""},
		{"32 bits", program, blob(4, "mine", "main"), nil, "the type long of the BTF has 4 bytes, but pointers of the image have 8"},
	} {
		dir := t.TempDir()
		image := filepath.Join(dir, "image")
		job := embed.Job{Open: btffile.Paths, OpenImage: func() (*elf.File, error) { return elf.Open(image) }, Image: image, Out: filepath.Join(dir, "out"), BTF: filepath.Join(dir, "btf"), Kernels: []settings.Kernel{{Kernel: verify.Newest}}}
		for path, data := range map[string][]byte{job.Image: tt.image, job.BTF: tt.btf} {
			if err := os.WriteFile(path, data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		_, warnings, err := job.Run()
		var got []string
		for _, w := range warnings {
			got = append(got, w.Examples...)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got warnings %q, want %q", tt.name, got, tt.want)
		}
		_, missing := os.Stat(job.Out)
		if tt.wantError == "" && (err != nil || missing != nil) || tt.wantError != "" && (err == nil || !strings.HasSuffix(err.Error(), tt.wantError) || missing == nil) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.wantError)
		}
	}
}
