package pahole

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/standin/atonce"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// options lists all options of pahole, in pahole's order, which is visible in the error about an ambiguous name.
var options = []option{
	{"bit_holes", 'B', required, nil},
	{"cacheline_size", 'c', required, nil},
	{"class_name", 'C', required, nil},
	{"count", 0, required, nil},
	{"skip", 0, required, nil},
	{"seek_bytes", 0, required, nil},
	{"size_bytes", 0, required, nil},
	{"range", 0, required, nil},
	{"header_type", 0, required, nil},
	{"find_pointers_to", 'f', required, nil},
	{"format_path", 'F', required, func(s *commandLine, arg string) error { s.format = arg; return nil }},
	{"contains", 'i', required, nil},
	{"contains_enumerator", 0, required, nil},
	{"show_decl_info", 'I', none, nil},
	{"holes", 'H', required, nil},
	{"padding_ge", 0, required, nil},
	{"hole_size_ge", 'z', required, nil},
	{"packable", 'P', none, nil},
	{"with_flexible_array", 0, none, nil},
	{"with_embedded_flexible_array", 0, none, nil},
	{"expand_types", 'E', none, nil},
	{"nr_members", 'n', none, nil},
	{"rel_offset", 'r', none, nil},
	{"recursive", 'd', none, nil},
	{"reorganize", 'R', none, nil},
	{"show_reorg_steps", 'S', none, nil},
	{"class_name_len", 'N', none, nil},
	{"show_first_biggest_size_base_type_member", 'l', none, nil},
	{"nr_methods", 'm', none, nil},
	{"show_only_data_members", 'M', none, nil},
	{"expand_pointers", 'p', none, nil},
	{"sizes", 's', none, nil},
	{"separator", 't', required, nil},
	{"nr_definitions", 'T', none, nil},
	{"decl_exclude", 'D', required, nil},
	{"exclude", 'x', required, nil},
	{"prefix_filter", 'y', required, nil},
	{"cu_exclude", 'X', required, func(s *commandLine, arg string) error { s.unitExclude = []string{arg}; return nil }},
	{"anon_include", 'a', none, nil},
	{"nested_anon_include", 'A', none, nil},
	{"quiet", 'q', none, nil},
	{"defined_in", 'u', none, nil},
	{"verbose", 'V', none, func(s *commandLine, _ string) error { s.verbose = true; return nil }},
	{"word_size", 'w', required, nil},
	{"ctf_encode", 'Z', none, refused("ctf_encode")},
	{"flat_arrays", 0, none, nil},
	{"suppress_aligned_attribute", 0, none, nil},
	{"suppress_force_paddings", 0, none, nil},
	{"suppress_packed", 0, none, nil},
	{"show_private_classes", 0, none, nil},
	{"fixup_silly_bitfields", 0, none, func(s *commandLine, _ string) error { s.plainFields = true; return nil }},
	{"first_obj_only", 0, none, nil},
	{"classes_as_structs", 0, none, nil},
	{"hex", 0, none, nil},
	{"btf_base", 0, required, func(s *commandLine, arg string) error { s.base = &arg; return nil }},
	{"kabi_prefix", 0, required, (*commandLine).kabi},
	{"jobs", 'j', optional, (*commandLine).jobs},
	{"btf_encode", 'J', none, func(s *commandLine, _ string) error { s.encode = true; return nil }},
	{"btf_encode_detached", 0, required, func(s *commandLine, arg string) error { s.encode, s.detached = true, &arg; return nil }},
	{"skip_encoding_btf_vars", 0, none, off(feature.Var)},
	{"btf_encode_force", 0, none, on(feature.EncodeForce)},
	{"btf_gen_floats", 0, none, on(feature.Float)},
	{"btf_gen_all", 0, none, func(s *commandLine, _ string) error { return s.list("all", false) }},
	{"compile", 0, none, nil},
	{"structs", 0, none, nil},
	{"unions", 0, none, nil},
	{"packed", 0, none, nil},
	{"numeric_version", 0, none, func(s *commandLine, _ string) error { s.numeric = true; return nil }},
	{"devel_version", 0, none, prints(atonce.Version)},
	{"sort", 0, none, nil},
	{"prettify", 0, required, nil},
	{"hashbits", 0, required, nil},
	{"ptr_table_stats", 0, none, nil},
	{"skip_encoding_btf_decl_tag", 0, none, off(feature.DeclTag)},
	{"skip_missing", 0, none, nil},
	{"skip_encoding_btf_type_tag", 0, none, off(feature.TypeTag)},
	{"lang", 0, required, func(s *commandLine, arg string) error { s.langs = &arg; return nil }},
	{"lang_exclude", 0, required, func(s *commandLine, arg string) error { s.langs, s.exclude = &arg, true; return nil }},
	{"skip_encoding_btf_enum64", 0, none, off(feature.Enum64)},
	{"skip_emitting_atomic_typedefs", 0, none, nil},
	{"btf_gen_optimized", 0, none, on(feature.OptimizedFunc)},
	{"skip_encoding_btf_inconsistent_proto", 0, none, on(feature.ConsistentFunc)},
	{"btf_features", 0, required, func(s *commandLine, arg string) error { return s.list(arg, false) }},
	{"features", 0, required, func(s *commandLine, arg string) error { return s.list(arg, false) }},
	{"supported_btf_features", 0, none, prints(supported())},
	{"btf_features_strict", 0, required, func(s *commandLine, arg string) error { return s.list(arg, true) }},
	{"reproducible_build", 0, none, on(feature.ReproducibleBuild)},
	{"running_kernel_vmlinux", 0, none, refused("running_kernel_vmlinux")},
	{"btf_attributes", 0, none, on(feature.Attributes)},
	{"help", '?', none, prints(help)},
	{"usage", 0, none, prints(synopsis)},
	{"program-name", 0, required, refused("program-name")},
	{"HANG", 0, optional, refused("HANG")},
	{"version", 0, none, prints(atonce.Version)},
}

const synopsis = "Usage: pahole -J [OPTION...] FILE..."

const help = synopsis + `

btfbatch in place of pahole: encodes the DWARF of FILE as BTF, as pahole ` + atonce.Version + ` does, and puts it into the section .BTF of FILE.
Several files are encoded into one BTF, which goes into the first file of which a CU is kept.
Options that change what pahole prints are accepted and have no effect.

  -J, --btf_encode               encode BTF; required, unless --btf_encode_detached is given
      --btf_encode_detached=FILE write raw BTF to FILE, and do not change the image
      --btf_base=FILE            use the BTF of FILE, raw or ELF, as the base
  -j, --jobs[=N]                 process N CUs in parallel; without N, one per processor
      --btf_features=LIST        encode only these features; "default" and "all" are sets of features
      --btf_features_strict=LIST the same, but an unknown name is an error
      --supported_btf_features   list the names of features
      --lang=LIST                encode only CUs in these languages
      --lang_exclude=LIST        leave out CUs in these languages; the default is $PAHOLE_LANG_EXCLUDE
  -X, --cu_exclude=PREFIX        leave out CUs whose name begins with PREFIX
      --kabi_prefix=PREFIX       cut names that begin with PREFIX to PREFIX
      --fixup_silly_bitfields    turn bit fields that fill an aligned unit of their type into plain members
      --btf_attributes --btf_encode_force --btf_gen_all --btf_gen_floats --btf_gen_optimized --reproducible_build
      --skip_encoding_btf_decl_tag --skip_encoding_btf_enum64 --skip_encoding_btf_inconsistent_proto
      --skip_encoding_btf_type_tag --skip_encoding_btf_vars
                                 switch single features on or off
  -V, --verbose                  print the functions that are left out, and what the newest kernel would refuse
      --version, --numeric_version

The environment variable BTFBATCH_VERIFY lists kernels, such as 6.1,newest, that must accept the BTF; otherwise nothing is written.

Exit codes: 0 success, or nothing to encode; 1 error; 64 wrong usage; 130 interrupted.`

// supported lists the features as --supported_btf_features does.
func supported() string { return strings.Join(feature.Names(), ",") }

// on and off are the options for single features, which are older than --btf_features.
func on(f feature.Feature) func(*commandLine, string) error {
	return func(s *commandLine, _ string) error { s.features = s.features.With(f); return nil }
}

func off(f feature.Feature) func(*commandLine, string) error {
	return func(s *commandLine, _ string) error { s.features = s.features.Without(f); return nil }
}

// prints is an option that ends the program with a text.
func prints(text string) func(*commandLine, string) error {
	return func(*commandLine, string) error { return &stop{code: exitcode.OK, out: text + "\n"} }
}

// refused is an option that asks for something that btfbatch does not do.
func refused(name string) func(*commandLine, string) error {
	return func(*commandLine, string) error {
		return &stop{code: exitcode.PaholeUsage, err: fmt.Sprintf("pahole: option '--%s' is not supported by btfbatch\n", name)}
	}
}
