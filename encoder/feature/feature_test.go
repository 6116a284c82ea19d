package feature_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestChosen: every set that comes from a function is a choice, also one without any feature; only the zero value is none.
func TestChosen(t *testing.T) {
	parsed := func(s feature.Set, err error) feature.Set {
		if err != nil {
			t.Error(err)
		}
		return s
	}
	for name, s := range map[string]feature.Set{
		"None": feature.None, "Of": feature.Of(), "Parse": parsed(feature.Parse("")), "Parse of commas": parsed(feature.Parse(",")),
		"FromNames": parsed(feature.FromNames(nil)), "With": feature.Set(0).With(), "Without": feature.Set(0).Without(),
		"Without the last": feature.Of(feature.Var).Without(feature.Var), "Without all": feature.All().Without(members(feature.All())...),
	} {
		if s != feature.None || !s.Chosen() || len(s.Names()) != 0 {
			t.Errorf("%s: got %#x, want None", name, uint32(s))
		}
	}
	for name, s := range map[string]feature.Set{
		"With": feature.Set(0).With(feature.Var), "Without": feature.Of(feature.Var, feature.Float).Without(feature.Float),
		"Parse": parsed(feature.Parse("var")), "Parse with spaces": parsed(feature.Parse(" , var ,,")), "FromNames": parsed(feature.FromNames([]string{"var"})), "None.With": feature.None.With(feature.Var),
	} {
		if s != feature.Of(feature.Var) || !slices.Equal(s.Names(), []string{"var"}) {
			t.Errorf("%s: got %#x %s, want var", name, uint32(s), s)
		}
	}
	if feature.Set(0).Chosen() || feature.Set(0).Has(feature.EncodeForce) {
		t.Error("the zero value is a choice")
	}
	if got := parsed(feature.Parse(feature.All().String())); got != feature.All() {
		t.Errorf("got %s, want all", got)
	}
}

func members(s feature.Set) (list []feature.Feature) {
	for f := range feature.Feature(len(feature.Names())) {
		if s.Has(f) {
			list = append(list, f)
		}
	}
	return list
}

func TestText(t *testing.T) {
	for want, s := range map[string]feature.Set{
		`""`: 0, `"none"`: feature.None, `"var,layout"`: feature.Of(feature.Layout, feature.Var),
	} {
		got, err := json.Marshal(s)
		if err != nil || string(got) != want {
			t.Errorf("%#x: got %s, %v, want %s", uint32(s), got, err, want)
		}
		back := feature.Of(feature.Float)
		if err := json.Unmarshal(got, &back); err != nil || back != s {
			t.Errorf("%s: read back as %#x, %v, want %#x", got, uint32(back), err, uint32(s))
		}
	}
	var s feature.Set
	if err := json.Unmarshal([]byte(`"default"`), &s); err != nil || s != feature.Default() {
		t.Errorf("default: got %s, %v", s, err)
	}
	if err := s.UnmarshalText([]byte("no-such")); err == nil {
		t.Error("an unknown name is no error")
	}
}
