package settings_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/settings"
	"github.com/btfbatch/btfbatch/cmd/internal/settings/ofimage"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// image parses a manifest of one image with these keys.
func image(t *testing.T, keys string) *config.Image {
	t.Helper()
	m, err := config.Parse("m.yaml", []byte("version: 1\nimages: [{path: a"+keys+"}]\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &m.Images[0]
}

// TestOneMapping: a manifest, flags and pahole's options with the same meaning give the same settings. An empty manifest or nil means that
// there is no way to write these settings there.
func TestOneMapping(t *testing.T) {
	rust, err := encoder.ParseLanguages([]string{"rust"})
	if err != nil {
		t.Fatal(err)
	}
	features := feature.Of(feature.Var, feature.Float)
	kernels := []settings.Kernel{{Kernel: verify.V6_1, Releases: []string{"6.1.55-1-amd64"}}, {Kernel: verify.V7_2}}
	names := []string{"6.1.55-1-amd64", "newest", "7.2", "6.1"}
	for _, tt := range []struct {
		name     string
		manifest string
		flags    *settings.Flags
		pahole   *settings.Pahole
		want     settings.Settings
	}{
		{"defaults", " ", &settings.Flags{}, nil, settings.Settings{Options: encoder.Options{Features: feature.Default()}}},
		{"defaults of the flags", " ", &settings.Flags{Profile: "default", Features: "default"}, nil, settings.Settings{Options: encoder.Options{Features: feature.Default()}}},
		{"profile", ", profile: pahole", &settings.Flags{Profile: "pahole"}, &settings.Pahole{Features: feature.Default()},
			settings.Settings{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}}},
		{"features", ", profile: pahole, features: [var, float]", &settings.Flags{Profile: "pahole", Features: "var,float"}, &settings.Pahole{Features: features},
			settings.Settings{Options: encoder.Options{Profile: encoder.Pahole, Features: features}}},
		{"more than the default features", ", features: +reproducible_build", &settings.Flags{Features: "+reproducible_build"}, nil,
			settings.Settings{Options: encoder.Options{Features: feature.Default().With(feature.ReproducibleBuild)}}},
		{"no features", ", profile: pahole, features: []", &settings.Flags{Profile: "pahole", Features: settings.NoFeatures}, &settings.Pahole{Features: feature.None},
			settings.Settings{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.None}}},
		{"languages", ", profile: pahole, lang_exclude: [rust]", &settings.Flags{Profile: "pahole", LangExclude: []string{"rust"}},
			&settings.Pahole{Features: feature.Default(), LangExclude: rust},
			settings.Settings{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default(), LangExclude: rust}}},
		{"kernels", ", profile: pahole, verify: [6.1.55-1-amd64, newest, '7.2', '6.1']", &settings.Flags{Profile: "pahole", Kernels: names},
			&settings.Pahole{Features: feature.Default(), Kernels: names},
			settings.Settings{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Kernels: kernels}},
		{"as its kernel", ", kernel: true", &settings.Flags{LikeKernel: true}, nil,
			settings.Settings{Options: encoder.Options{Features: feature.Default(), LikeKernel: true}}},
		{"sorted", ", sort_by_name: true", &settings.Flags{SortByName: true}, nil,
			settings.Settings{Options: encoder.Options{Features: feature.Default(), SortByName: true}}},
		{"no sections", ", sections: []", nil, nil, settings.Settings{Options: encoder.Options{Features: feature.Default(), Sections: []encoder.SectionRule{}}}},
		{"sections", ", sections: [{section: .bss, exclude: [zero-address, non-allocated, unnamed, '__*'], datasec: false, unique: false}]", nil, nil,
			settings.Settings{Options: encoder.Options{Features: feature.Default(), Sections: []encoder.SectionRule{{Section: ".bss", DropZeroAddress: true,
				DropNonAllocated: true, DropUnnamed: true, DropSymbols: []string{"__*"}, NoDatasec: true, KeepDuplicates: true}}}}},
		{"what pahole alone has", "", nil, &settings.Pahole{Features: features, UnitExclude: []string{"drivers/"}, NamePrefix: "kabi_", PlainFields: true, RulesOff: rules.Pahole},
			settings.Settings{Options: encoder.Options{Profile: encoder.Pahole, Features: features, UnitExclude: []string{"drivers/"}, NamePrefix: "kabi_",
				PlainFields: true, RulesOff: rules.Pahole}}},
	} {
		check := func(from string, got settings.Settings, err error) {
			t.Helper()
			if len(got.LangExclude) == 0 {
				got.LangExclude = nil // has the same meaning
			}
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s, %s: got %+v, %v, want %+v", tt.name, from, got, err, tt.want)
			}
		}
		if tt.manifest != "" {
			got, err := ofimage.Settings(image(t, strings.TrimSpace(tt.manifest)), "")
			check("manifest", got, err)
		}
		if tt.flags != nil {
			got, err := tt.flags.Settings()
			check("flags", got, err)
		}
		if tt.pahole != nil {
			got, err := tt.pahole.Settings()
			check("pahole", got, err)
		}
	}
}

// TestProfileOfAll: a profile for all images replaces the profile of each image.
func TestProfileOfAll(t *testing.T) {
	for _, tt := range []struct {
		keys string
		all  config.Profile
		want encoder.Profile
	}{
		{"", "", encoder.Default}, {", profile: pahole", "", encoder.Pahole},
		{"", config.Pahole, encoder.Pahole}, {", profile: pahole", config.Default, encoder.Default},
	} {
		if got, err := ofimage.Settings(image(t, tt.keys), tt.all); got.Profile != tt.want || err != nil {
			t.Errorf("%q, for all %q: got %v, %v, want %v", tt.keys, tt.all, got.Profile, err, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		flags settings.Flags
		want  string
	}{
		{settings.Flags{Profile: "mine"}, `profile "mine"`},
		{settings.Flags{Features: "var,,float"}, "empty element"},
		{settings.Flags{Features: "+"}, "empty element"},
		{settings.Flags{Features: "vars"}, `"vars"`},
		{settings.Flags{LangExclude: []string{"latin"}}, `"latin"`},
		{settings.Flags{Kernels: []string{"2.6"}}, `"2.6"`},
	} {
		if _, err := tt.flags.Settings(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.flags, err, tt.want)
		}
	}
	if _, err := (&settings.Pahole{Kernels: []string{"2.6"}}).Settings(); err == nil || !strings.Contains(err.Error(), `"2.6"`) {
		t.Errorf("pahole: got error %v, want one about \"2.6\"", err)
	}
	if _, err := ofimage.Settings(&config.Image{Verify: []string{"2.6"}}, ""); err == nil || !strings.HasPrefix(err.Error(), "verify: ") {
		t.Errorf("manifest: got error %v, want the prefix \"verify: \"", err)
	}
}
