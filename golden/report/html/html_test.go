package html

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/sebdah/goldie/v2"

	"github.com/btfbatch/btfbatch/golden/report"
)

// write returns the page of a report.
func write(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// inputs are the reports of the tests.
var inputs = []struct {
	name string
	of   func() *report.Report
}{
	{"sample", sample}, {"hostile", hostile}, {"none", func() *report.Report { return report.New(nil) }},
	{"good", func() *report.Report {
		r := report.New([]string{"a", "b"})
		r.Add(image("a", 0))
		r.Add(image("b", 1))
		return r
	}},
}

func TestPages(t *testing.T) {
	for _, x := range inputs {
		t.Run(x.name, func(t *testing.T) {
			page := write(t, x.of())
			goldie.New(t).Assert(t, x.name, []byte(page))
			if again := write(t, x.of()); again != page {
				t.Error("the same report gives two pages")
			}
		})
	}
}

type fullDisk struct{}

var errFull = errors.New("disk is full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	if err := Write(fullDisk{}, sample()); !errors.Is(err, errFull) {
		t.Errorf("got error %v, want %v", err, errFull)
	}
	if err := Write(io.Discard, sample()); err != nil {
		t.Error(err)
	}
}

// A tag is an element of a page, as far as the tests need it.
type tag struct {
	name  string
	attrs map[string]string
	end   int // in the page
}

var (
	tagPattern  = regexp.MustCompile(`<(/?)([a-zA-Z!][^\s>/]*)((?:\s+[^\s=>/]+(?:="[^"]*")?)*)\s*/?>`)
	attrPattern = regexp.MustCompile(`\s+([^\s=>/]+)(?:="([^"]*)")?`)
)

// tags lists the start tags of a page, outside of style and script. It fails if there is a < or > that is no part of a tag.
func tags(t *testing.T, page string) (list []tag) {
	t.Helper()
	for _, raw := range []string{style, script} {
		if strings.Count(page, raw) != 1 {
			t.Fatal("the page does not have its style and script once")
		}
		page = strings.Replace(page, raw, strings.Repeat(" ", len(raw)), 1)
	}
	last := 0
	for _, m := range tagPattern.FindAllStringSubmatchIndex(page, -1) {
		if between := page[last:m[0]]; strings.ContainsAny(between, "<>") {
			t.Fatalf("there is a sign outside of tags: %.200q", between)
		}
		last = m[1]
		if m[2] != m[3] { // an end tag
			continue
		}
		x := tag{name: page[m[4]:m[5]], attrs: map[string]string{}, end: m[1]}
		for _, a := range attrPattern.FindAllStringSubmatch(page[m[6]:m[7]], -1) {
			x.attrs[a[1]] = html.UnescapeString(a[2])
		}
		list = append(list, x)
	}
	if strings.ContainsAny(page[last:], "<>") {
		t.Fatal("there is a sign after the last tag")
	}
	return list
}

// TestStructure checks every page: it loads nothing, its ids are unique, its links lead somewhere, its pictures have names, and no text can
// be seen otherwise than it is.
func TestStructure(t *testing.T) {
	allowed := strings.Fields("!DOCTYPE html head meta title style body a svg defs pattern path header div span nav main section h1 h2 h3 h4 ul li p code dl dt dd b bdi " +
		"details summary table thead tbody tr th td input select option button rect text figure figcaption pre footer script")
	for _, x := range append(inputs[:len(inputs):len(inputs)], struct {
		name string
		of   func() *report.Report
	}{"many", func() *report.Report { return many(60, 0.3) }}) {
		t.Run(x.name, func(t *testing.T) {
			page := write(t, x.of())
			for i, r := range page {
				if !unicode.IsPrint(r) && r != '\n' || r == unicode.ReplacementChar {
					t.Fatalf("there is %U at byte %d", r, i)
				}
			}
			ids, scripts := map[string]bool{}, 0
			list := tags(t, page)
			for _, e := range list {
				if !slices.Contains(allowed, e.name) {
					t.Errorf("unexpected element %s", e.name)
				}
				if e.name == "script" {
					scripts++
				}
				for name, value := range e.attrs {
					if strings.HasPrefix(name, "on") || name == "src" || name == "srcset" || name == "action" || strings.Contains(value, "url(") {
						t.Errorf("unexpected attribute %s=%.50q", name, value)
					}
					if name == "id" {
						if ids[value] {
							t.Errorf("id %s is there twice", value)
						}
						ids[value] = true
					}
				}
			}
			if scripts != 1 {
				t.Errorf("got %d scripts, want 1", scripts)
			}
			for _, e := range list {
				if href, ok := e.attrs["href"]; ok && (!strings.HasPrefix(href, "#") || !ids[href[1:]]) {
					t.Errorf("link %.50q leads nowhere", href)
				}
				for _, name := range []string{"aria-labelledby"} {
					if id, ok := e.attrs[name]; ok && !ids[id] {
						t.Errorf("%s=%q names nothing", name, id)
					}
				}
				if e.name == "svg" && (e.attrs["role"] != "img" || !regexp.MustCompile(`^<title>[^<]{5,}</title>`).MatchString(page[e.end:])) {
					t.Errorf("a picture has no role or title: %v", e.attrs)
				}
				if e.attrs["role"] == "region" && (e.attrs["aria-label"] == "" || e.attrs["tabindex"] != "0") {
					t.Errorf("a region that scrolls has no name or cannot be reached by keyboard: %v", e.attrs)
				}
			}
		})
	}
}

// TestHostile checks that names are shown as text, and shortened if they are long.
func TestHostile(t *testing.T) {
	page := write(t, hostile())
	for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", `a\u202egnp.exe`, `\x1b[31m`, `\xff\xfe not utf-8`, "&amp;lt;b&amp;gt;", `\u200b`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %s", want)
		}
	}
	if n := strings.Count(page, "longlonglong"); n == 0 || len(page) > 1<<20 {
		t.Errorf("names of 1 MB: shown %d times, in a page of %d bytes", n, len(page))
	}
}

// TestSize checks the size of pages for large batches, in which every image has everything.
func TestSize(t *testing.T) {
	for _, x := range []struct {
		images int
		share  float64
		most   int
	}{{300, 1, 5 << 20}, {1000, 0.5, 10 << 20}, {4000, 0.01, 10 << 20}} {
		r := many(x.images, x.share)
		page := write(t, r)
		t.Logf("%d images, of which %.0f %% differ: %d bytes", x.images, 100*x.share, len(page))
		if len(page) > x.most {
			t.Errorf("%d images, of which %.0f %% differ: got %d bytes, want at most %d", x.images, 100*x.share, len(page), x.most)
		}
		rows := strings.Count(page, "<tr id=\"m")
		if rows != min(x.images, maxRows) {
			t.Errorf("the matrix has %d rows", rows)
		}
		// What is not ok is not left out.
		for _, row := range r.Rows() {
			if row.Status != report.OK && !strings.Contains(page, row.Name) {
				t.Errorf("%s is missing", row.Name)
				break
			}
		}
	}
}

// TestLevels checks that images that are not ok get the room for full descriptions first.
func TestLevels(t *testing.T) {
	r := many(150, 0)
	bad := image("bad", 0)
	bad.Error = "it is broken"
	bad.Details.PerCPU = largeSection(1)
	r.Add(bad) // the last one
	page := write(t, r)
	first := strings.Index(page, `<details class="image`)
	if at := strings.Index(page, `<details class="image is-failed`); at != first {
		t.Errorf("the failed image does not come first: %d, %d", at, first)
	}
	if n := strings.Count(page, "400 variables and symbols, by offset"); n < 10 || n >= 150 {
		t.Errorf("%d images have a full table of variables", n)
	}
	if !strings.Contains(page, "<h4>Per-CPU variables") || !strings.Contains(page, "images are shown with less") {
		t.Error("the page does not say that it leaves something out")
	}
}

// TestMatrix checks that every image has a word in every cell, one without a result too.
func TestMatrix(t *testing.T) {
	page := write(t, sample())
	_, body, _ := strings.Cut(page, "<tbody>")
	body, _, _ = strings.Cut(body, "</tbody>")
	rows := strings.Split(body, "<tr ")[1:]
	if len(rows) != 7 {
		t.Fatalf("got %d rows, want 7", len(rows))
	}
	plain := regexp.MustCompile(`<[^>]*>`)
	want := map[string]string{
		"lost":   "✗ lost|– no BTF|– no BTF|– no BTF|– no BTF",
		"broken": "✗ failed|– no BTF|– no BTF|– no BTF|– no BTF", "late": "◌ not done|– no BTF|– no BTF|– no BTF|– no BTF",
		"refused": "✓ encoded|✓ accepts|✗ refuses|– none|none", "debian-6.12-amd64": "✓ encoded|✓ accepts|✓ accepts|≠ differs|! 3",
	}
	for _, row := range rows {
		cells := strings.Split(row, "<td")
		var texts []string
		for _, c := range cells {
			texts = append(texts, strings.TrimSpace(plain.ReplaceAllString(c[strings.Index(c, ">")+1:], "")))
		}
		if slices.Contains(texts, "") {
			t.Errorf("an empty cell in %q", texts)
		}
		if w, ok := want[texts[0]]; ok && strings.Join(texts[1:6], "|") != w {
			t.Errorf("%s: got %s, want %s", texts[0], strings.Join(texts[1:6], "|"), w)
		}
	}
}

// TestFindings checks that a cause that many images have is described once.
func TestFindings(t *testing.T) {
	page := write(t, many(40, 1))
	const common = "struct/s0/0"
	if n := strings.Count(page, "Key for exceptions: <code>"+common+"<"); n != 1 {
		t.Errorf("%s is described %d times", common, n)
	}
	part, _, _ := strings.Cut(page, "Key for exceptions: <code>"+common+"<")
	part = part[strings.LastIndex(part, `<details class="cause`):]
	if !strings.Contains(part, "in 40 images") || !strings.Contains(part, "<svg") {
		t.Errorf("its description does not name the images, or has no picture: %.300s", part)
	}
}

func TestPolicy(t *testing.T) {
	page := write(t, sample())
	want := fmt.Sprintf(`<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; script-src &#39;%s&#39;">`, html.EscapeString(scriptSum()))
	if !strings.Contains(strings.ReplaceAll(page, "&#43;", "+"), strings.ReplaceAll(want, "&#43;", "+")) {
		t.Errorf("the page does not have its policy: %s", want)
	}
	if strings.Contains(script, "</") || strings.Contains(style, "</") {
		t.Error("style or script could end their element")
	}
}
