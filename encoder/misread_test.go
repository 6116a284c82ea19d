package encoder_test

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestMisread: in files that pahole does not relocate, or relocates wrongly, a unit can seem to end early without any damage. Then the profile
// pahole leaves out the rest of the unit, as pahole does. In other files this is an error in both profiles.
func TestMisread(t *testing.T) {
	for image, misread := range map[string]bool{"mips64el": true, "hppa": true, "sh4": true, "mips": false, "x86_64": false} {
		data := read(t, filepath.Join(imageFolder, "gcc12-"+image+"-dwarf5-module.ko"))
		f, err := elf.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		part := func(name string) []byte {
			section := f.Section(name)
			if section == nil {
				return nil
			}
			b, err := section.Data()
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		d, err := dwarf.New(part(".debug_abbrev"), nil, nil, part(".debug_info"), nil, nil, nil, part(".debug_str"))
		if err == nil {
			err = d.AddSection(".debug_line_str", part(".debug_line_str"))
		}
		if err != nil {
			t.Fatal(err)
		}
		var first dwarf.Offset // offset of the first function
		for r := d.Reader(); ; {
			e, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e == nil {
				break
			}
			if e.Tag == dwarf.TagSubprogram && first == 0 {
				first = e.Offset
			}
			if e.Tag != dwarf.TagCompileUnit && e.Children {
				r.SkipChildren()
			}
		}
		data[f.Section(".debug_info").Offset+uint64(first)] = 0
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			_, err := encodeBytes(data, encoder.Encoder{Options: encoder.Options{Features: feature.Default(), Profile: profile}})
			if ends := err != nil && strings.Contains(err.Error(), "the unit ends here"); ends == (misread && profile == encoder.Pahole) {
				t.Errorf("%s, profile %d: got error %v", image, profile, err)
			}
		}
	}
}
