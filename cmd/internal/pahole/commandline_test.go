package pahole

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// words splits a command line at spaces.
func words(line string) []string { return strings.Fields(line) }

func TestFeatures(t *testing.T) {
	all := feature.All()
	for _, tt := range []struct {
		line string
		want feature.Set
	}{
		{"", plain()},
		{"--btf_features=default", feature.Default()},
		{"--btf_features=all", all},
		{"--btf_features=var,all", all},
		{"--btf_gen_all", all},
		{"--btf_gen_all --btf_features=var", all},
		{"--btf_features=var --btf_gen_all", all},
		{"--btf_features=", feature.None},
		{"--btf_features=,", feature.None},
		{"--btf_features=,var,,float", feature.Of(feature.Var, feature.Float)},
		{"--btf_features=+", feature.Default()},
		{"--btf_features=+global_var", feature.Default().With(feature.GlobalVar)},
		{"--btf_features=global_var,default", feature.Default().With(feature.GlobalVar)},
		{"--btf_features=var,+float", feature.Of(feature.Var)},
		{"--btf_features=Var,unknown,float", feature.Of(feature.Float)},
		{"--btf_features=var --btf_features=float", feature.Of(feature.Var, feature.Float)},
		{"--features=var --btf_features_strict=float", feature.Of(feature.Var, feature.Float)},
		{"--btf_features=" + strings.Repeat(",", maxList-3) + "var,float", feature.Of(feature.Var)},
		// The older options take effect in the order of the command line.
		{"--skip_encoding_btf_vars", plain().Without(feature.Var)},
		{"--skip_encoding_btf_vars --btf_features=var", feature.Of(feature.Var)},
		{"--btf_features=var --skip_encoding_btf_vars", feature.None},
		{"--btf_gen_floats --btf_features=var", feature.Of(feature.Var)},
		{"--btf_features=var --btf_gen_floats", feature.Of(feature.Var, feature.Float)},
		{"--skip_encoding_btf_decl_tag --skip_encoding_btf_type_tag --skip_encoding_btf_enum64", feature.Of(feature.Var)},
		{"--btf_encode_force --skip_encoding_btf_inconsistent_proto --btf_gen_optimized",
			plain().With(feature.EncodeForce, feature.ConsistentFunc, feature.OptimizedFunc)},
		{"--btf_attributes --reproducible_build", plain().With(feature.Attributes, feature.ReproducibleBuild)},
	} {
		s, err := parse("pahole", append(words(tt.line), "-J", "f"), io.Discard)
		if err != nil {
			t.Errorf("%s: %v", tt.line, err)
			continue
		}
		if s.features != tt.want {
			t.Errorf("%s: got %s, want %s", tt.line, s.features, tt.want)
		}
	}
}

func TestFiles(t *testing.T) {
	for line, want := range map[string][]string{
		"-J f":                           {"f"},
		"f -J":                           {"f"},
		"-J -j 4 f":                      {"4", "f"}, // the number of -j follows without a space
		"-J --jobs 4":                    {"4"},
		"-J --btf_base b f":              {"f"},
		"-J --btf_base=b f":              {"f"},
		"-J -- -f --g":                   {"-f", "--g"},
		"f -J - -- g":                    {"f", "-", "g"},
		"-VJj4 f":                        {"f"},
		"-jJ -J f":                       {"f"}, // J is the number
		"-J -C x -Cx --class_name=x f":   {"f"},
		"--btf_encode_d=o f":             {"f"},
		"--btf_encode --num_is_a_file":   nil,
		"-J -F dwarf -I --hex -c 64 f g": {"f", "g"},
	} {
		s, err := parse("pahole", words(line), io.Discard)
		if want == nil {
			if err == nil {
				t.Errorf("%s: got no error", line)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if !slices.Equal(s.files, want) {
			t.Errorf("%s: got %q, want %q", line, s.files, want)
		}
	}
}

func TestWorkers(t *testing.T) {
	n := runtime.GOMAXPROCS(0)
	for line, want := range map[string]int{
		"": 1, "-j": n, "--jobs": n, "-j1": 1, "-j0": 1, "--jobs=x": 1, "-j1x": 1, "-j99999999999999999999": n, "-j -j1": 1, "-j1 -j": n,
	} {
		s, err := parse("pahole", append(words(line), "-J", "f"), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if s.workers != want {
			t.Errorf("%s: got %d workers, want %d", line, s.workers, want)
		}
	}
}

func TestLanguages(t *testing.T) {
	const c11, rust, asm, none = 0x1d, 0x1c, 0x8001, 0
	for _, tt := range []struct {
		line string
		env  []string
		out  []encoder.Language // codes that are left out
		in   []encoder.Language
	}{
		{"", nil, nil, []encoder.Language{c11, rust, asm, none}},
		{"--lang_exclude=rust", nil, []encoder.Language{rust}, []encoder.Language{c11, asm, none}},
		{"--lang_exclude=RUST,c11", nil, []encoder.Language{rust, c11}, []encoder.Language{asm, none}},
		{"--lang_exclude=c11 --lang_exclude=rust", nil, []encoder.Language{rust}, []encoder.Language{c11}},
		{"--lang=c11,asm", nil, []encoder.Language{rust, none, 0x2c}, []encoder.Language{c11, asm}},
		{"--lang=c11 --lang_exclude=rust", nil, []encoder.Language{rust}, []encoder.Language{c11}},
		{"--lang_exclude=rust --lang=c11", nil, []encoder.Language{c11}, []encoder.Language{rust}}, // after --lang_exclude, --lang excludes too
		{"", []string{"rust"}, []encoder.Language{rust}, []encoder.Language{c11}},
		{"--lang_exclude=c11", []string{"rust"}, []encoder.Language{c11}, []encoder.Language{rust}},
		{"--lang=c11", []string{"c11"}, []encoder.Language{rust}, []encoder.Language{c11}},
	} {
		t.Run(tt.line, func(t *testing.T) {
			for _, v := range tt.env {
				t.Setenv("PAHOLE_LANG_EXCLUDE", v)
			}
			s, err := parse("pahole", append(words(tt.line), "-J", "f"), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			for _, code := range tt.out {
				if !slices.Contains(s.langExclude, code) {
					t.Errorf("language %#x is not left out", code)
				}
			}
			for _, code := range tt.in {
				if slices.Contains(s.langExclude, code) {
					t.Errorf("language %#x is left out", code)
				}
			}
		})
	}
}

// TestStops: options that end the program, and usage errors, print these texts.
func TestStops(t *testing.T) {
	const try = "\nTry `pahole --help' or `pahole --usage' for more information.\n"
	const alone = "without -J, pahole prints types, which btfbatch does not do; use -J to encode BTF, or btfbatch dump to print it"
	known := "Supported BTF features are:\n" + supported() + "\n"
	for _, tt := range []struct {
		line     string
		code     int
		out, err string
	}{
		{"--version", 0, "v1.32\n", ""},
		{"--vers --foo", 0, "v1.32\n", ""},
		{"--devel_version", 0, "v1.32\n", ""},
		{"--numeric_version", 0, "132\n", ""},
		{"--numeric_version -J f", 0, "132\n", ""},
		{"--numeric_version --foo", 64, "", "bin/pahole: unrecognized option '--foo'" + try},
		{"--supported_btf_features --foo", 0, supported() + "\n", ""},
		{"-?", 0, help + "\n", ""},
		{"--help", 0, help + "\n", ""},
		{"--usage", 0, synopsis + "\n", ""},
		{"--foo=bar --version", 64, "", "bin/pahole: unrecognized option '--foo=bar'" + try},
		{"-JQ f", 64, "", "bin/pahole: invalid option -- 'Q'" + try},
		{"-JB", 64, "", "bin/pahole: option requires an argument -- 'B'" + try},
		{"--btf_base", 64, "", "bin/pahole: option '--btf_base' requires an argument" + try},
		{"--numeric=3", 64, "", "bin/pahole: option '--numeric_version' doesn't allow an argument" + try},
		{"--btf_f=x", 64, "", "bin/pahole: option '--btf_f=x' is ambiguous; possibilities: '--btf_features' '--btf_features_strict'" + try},
		{"--v", 64, "", "bin/pahole: option '--v' is ambiguous; possibilities: '--verbose' '--version'" + try},
		{"-J", 64, "", "bin/pahole: no file to encode; name at least one ELF file with DWARF" + try},
		{"f", 64, "", "bin/pahole: " + alone + try},
		{"-C list_head f", 64, "", "bin/pahole: " + alone + try},
		{"-F btf f", 64, "", "bin/pahole: " + alone + try},
		{"--btf_base=b f", 64, "", "bin/pahole: " + alone + try},
		{"-J --btf_features_strict=var,foo f", 1, "", "Feature 'foo' in 'var,foo' is not supported.  " + known},
		{"-J --btf_features_strict=+foo f", 1, "", "Feature 'foo' in 'foo' is not supported.  " + known},
		{"--lang=c11,foo,c --numeric_version", 1, "", "pahole: unknown language \"foo,c\"\n"},
		{"--lang_exclude=rust, --numeric_version", 1, "", "pahole: unknown language \"\"\n"},
		{"--lang_exclude= -J f", 1, "", "pahole: unknown language \"\"\n"},
		{"-J -Z f", 64, "", "pahole: option '--ctf_encode' is not supported by btfbatch\n"},
		{"-J --kabi_prefix= f", 1, "", "pahole: the argument of --kabi_prefix is empty, which would remove all names; give a prefix such as __kabi_\n"},
		{"-J -F ctf f", 64, "", "bin/pahole: btfbatch reads only the format dwarf, not ctf" + try},
	} {
		_, err := parse("bin/pahole", words(tt.line), io.Discard)
		var s *stop
		if !errors.As(err, &s) {
			t.Errorf("%s: got %v, want a stop", tt.line, err)
			continue
		}
		if s.code != tt.code || s.out != tt.out || s.err != tt.err {
			t.Errorf("%s: got %d, %q, %q, want %d, %q, %q", tt.line, s.code, s.out, s.err, tt.code, tt.out, tt.err)
		}
	}
}

// TestUnknownFeatures: unknown features are reported only if -V precedes the list. So are the sets that pahole says it ignores.
func TestUnknownFeatures(t *testing.T) {
	for line, want := range map[string]string{
		"--btf_features=var,foo -V": "",
		"-V --btf_features=var,foo": "Ignoring unsupported feature 'foo'\n",
		"-V --btf_features=var":     "",
		"-V --btf_features=default": "",
		"-V --btf_features=+all":    "Ignoring unsupported feature 'all'\n",
	} {
		var b, without strings.Builder
		if _, err := parse("pahole", append(words(line), "-J", "f"), &b); err != nil {
			t.Fatal(err)
		}
		if b.String() != want {
			t.Errorf("%s: got %q, want %q", line, b.String(), want)
		}
		if _, err := parseBy(rules.Pahole&^rules.IgnoredSet, "pahole", append(words(line), "-J", "f"), &without); err != nil {
			t.Fatal(err)
		}
		if got := without.String(); (got != want) != strings.Contains(line, "+all") {
			t.Errorf("%s: without rules.IgnoredSet: got %q", line, got)
		}
	}
}

// TestInterrupted: an interrupted run leaves no output and prints the reason.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs strings.Builder
	path := filepath.Join(t.TempDir(), "btf")
	code, _ := Run(Signals{Listen: func() context.Context { return ctx }}, "pahole", []string{"--btf_encode_detached", path, image("gcc12-x86_64-dwarf5-based.elf")}, &out, &errs)
	if code != exitcode.Interrupted || out.String() != "" || errs.String() != "pahole: interrupted\n" {
		t.Errorf("got %d, %q, %q", code, &out, &errs)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("got error %v for the output, want that it does not exist", err)
	}
}

// FuzzParse: a command line is either valid, or ends with a text and an exit code.
func FuzzParse(f *testing.F) {
	for _, line := range append(append([]string{"-JVj4 --", "--=", "-j -", "--version", "--lang=,"}, kernelCalls...), otherCalls...) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		s, err := parse("pahole", strings.Split(line, " "), io.Discard)
		var end *stop
		switch {
		case err == nil:
			if !s.encode || len(s.files) == 0 || s.workers < 1 {
				t.Errorf("got encode %t, files %q, %d workers", s.encode, s.files, s.workers)
			}
		case !errors.As(err, &end):
			t.Errorf("got %v, want a stop", err)
		case end.out == "" && end.err == "":
			t.Errorf("got exit code %d without a text", end.code)
		}
	})
}
