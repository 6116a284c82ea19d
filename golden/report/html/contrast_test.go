package html

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// luminance is the relative luminance of a colour by WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if !regexp.MustCompile(`^#[0-9a-f]{6}$`).MatchString(hex) {
		t.Fatalf("%q is not a colour", hex)
	}
	part := func(s string) float64 {
		n, err := strconv.ParseUint(s, 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(hex[1:3]) + 0.7152*part(hex[3:5]) + 0.0722*part(hex[5:7])
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// colourVars reads the colours of a scheme from the style sheet.
func colourVars(css string) map[string]string {
	vars := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+):(#[0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
		vars[m[1]] = m[2]
	}
	return vars
}

func TestContrast(t *testing.T) {
	light, dark, found := strings.Cut(style, "prefers-color-scheme:dark")
	if !found {
		t.Fatal("there is no dark scheme")
	}
	dark, _, _ = strings.Cut(dark, "}}")
	if x := contrast(t, "#000000", "#ffffff"); math.Abs(x-21) > 0.01 {
		t.Fatalf("black on white: got %.2f, want 21", x)
	}
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		v := colourVars(css)
		if len(v) < 35 {
			t.Fatalf("%s: got %d colours", scheme, len(v))
		}
		check := func(front, back string, least float64) {
			a, b := v[front], v[back]
			if a == "" || b == "" {
				t.Errorf("%s: %s or %s has no colour", scheme, front, back)
			} else if x := contrast(t, a, b); x < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", scheme, front, back, x, least)
			}
		}
		const words, signs = 4.5, 3
		for _, back := range []string{"bg", "panel"} {
			for _, front := range []string{"text", "muted", "link", "ok", "differs", "failed", "skipped"} {
				check(front, back, words)
			}
			check("focus", back, signs)
		}
		for _, s := range []string{"ok", "differs", "failed", "skipped"} {
			check(s, s+"-bg", words)
			check("text", s+"-bg", words)
			check("muted", s+"-bg", words)
			check("link", s+"-bg", words)
			check("focus", s+"-bg", signs)
		}
		for _, fill := range []string{"same", "moved", "changed", "added", "left", "run0", "run1", "run2", "run3"} {
			check("text", fill, words)
			check("mark", fill, words)
		}
		check("removed", "bg", signs)
		for i := range colours {
			check(fmt.Sprintf("part%d", i), "bg", 2)
		}
	}
}
