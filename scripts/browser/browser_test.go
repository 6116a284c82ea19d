// Package browser opens HTML reports in headless Chromium, as their readers do. It is a module of its own, so that the program does not
// depend on a browser's protocol.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// pages returns the files of REPORTS, which are separated by colons, or else the pages that the tests of package html compare with.
func pages(t *testing.T) []string {
	t.Helper()
	if list := os.Getenv("REPORTS"); list != "" {
		return strings.Split(list, ":")
	}
	list, err := filepath.Glob("../../golden/report/html/testdata/*.golden")
	if err != nil || len(list) == 0 {
		t.Fatalf("there are no pages (%v)", err)
	}
	return list
}

// browser starts Chromium, or skips the test where there is none. With BTFBATCH_REQUIRE_BROWSER=1 that is an error.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("BTFBATCH_REQUIRE_BROWSER") == "1" {
			t.Fatal("there is no chromium")
		}
		t.Skip("there is no chromium")
	}
	opt := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox)
	alloc, cancel := chromedp.NewExecAllocator(t.Context(), opt...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// A visit is an open page, and what the browser complained about.
type visit struct {
	ctx      context.Context
	url      string
	mu       sync.Mutex
	problems []string
}

func (v *visit) problem(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.problems = append(v.problems, fmt.Sprintf(format, args...))
}

// open opens a page in a new tab. Everything that the page says on the console, every request and every dialog is a problem.
func open(t *testing.T, parent context.Context, file, scheme string, width int, script bool) *visit {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(copied, data, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	v := &visit{ctx: ctx, url: "file://" + copied}
	chromedp.ListenTarget(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventConsoleAPICalled:
			v.problem("console: %s", ev.Type)
		case *runtime.EventExceptionThrown:
			v.problem("exception: %s", ev.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			v.problem("log: %s", ev.Entry.Text)
		case *network.EventRequestWillBeSent:
			if ev.Request.URL != v.url {
				v.problem("request: %s", ev.Request.URL)
			}
		case *page.EventJavascriptDialogOpening:
			v.problem("dialog: %s", ev.Message)
		}
	})
	v.do(t, network.Enable(), log.Enable(), runtime.Enable(),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		emulation.SetScriptExecutionDisabled(!script),
		chromedp.EmulateViewport(int64(width), 900), chromedp.Navigate(v.url))
	return v
}

func (v *visit) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(v.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval evaluates an expression in the page.
func eval[T any](t *testing.T, v *visit, expression string) (result T) {
	t.Helper()
	v.do(t, chromedp.Evaluate(expression, &result))
	return result
}

// complaints fails the test with what the browser complained about.
func (v *visit) complaints(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range v.problems {
		t.Error(p)
	}
}

// shoot keeps a picture of the page in the folder SHOTS.
func (v *visit) shoot(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	v.do(t, chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// overflow names the elements that make the page wider than the window.
const overflow = `(() => {
	const w = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= w) return [];
	const wide = [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > w + 1 && !e.closest('.scroll,.picbox,pre'));
	return [document.documentElement.scrollWidth + ' instead of ' + w, ...wide.slice(0, 5).map(e => e.tagName + '.' + e.className)];
})()`

// TestRendering opens every page in both schemes and at three widths, folded and unfolded.
func TestRendering(t *testing.T) {
	parent := browser(t)
	for _, file := range pages(t) {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		background := map[string]string{}
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int{400, 800, 1400} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, scheme, width), func(t *testing.T) {
					v := open(t, parent, file, scheme, width, true)
					v.shoot(t, fmt.Sprintf("%s-%s-%d", name, scheme, width))
					for _, state := range []string{"folded", "unfolded"} {
						if wide := eval[[]string](t, v, overflow); len(wide) > 0 {
							t.Errorf("%s, the page is too wide: %s", state, strings.Join(wide, ", "))
						}
						eval[bool](t, v, `document.querySelectorAll('details').forEach(d => { d.open = true; }), true`)
					}
					if empty := eval[int](t, v, `[...document.querySelectorAll('svg.pic')].filter(e => e.getBoundingClientRect().height < 8).length`); empty > 0 {
						t.Errorf("%d pictures have no height", empty)
					}
					background[scheme] = eval[string](t, v, `getComputedStyle(document.body).backgroundColor`)
					v.complaints(t)
				})
			}
		}
		if background["light"] == background["dark"] {
			t.Errorf("%s: got the same background %s in both schemes", name, background["light"])
		}
	}
}

// TestWithoutScript reads the pages with the script switched off: everything is there, and no control that does nothing.
func TestWithoutScript(t *testing.T) {
	parent := browser(t)
	for _, file := range pages(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			with, without := open(t, parent, file, "light", 1400, true), open(t, parent, file, "light", 1400, false)
			const words = `document.querySelector('main').textContent.replace(/\s+/g, ' ')`
			if got, want := eval[string](t, without, words), eval[string](t, with, words); got != want {
				t.Errorf("the text differs: %d and %d letters", len(got), len(want))
			}
			if n := eval[int](t, without, `[...document.querySelectorAll('input,select,button')].filter(e => e.offsetParent).length`); n > 0 {
				t.Errorf("%d controls are there that do nothing without the script", n)
			}
			without.complaints(t)
		})
	}
}

// TestKeyboard goes through the page with the tabulator: what has the focus can be seen, and everything that reacts can be reached.
func TestKeyboard(t *testing.T) {
	parent := browser(t)
	for _, file := range pages(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			v := open(t, parent, file, "light", 1000, true)
			kinds := map[string]bool{}
			for i := range 60 {
				v.do(t, chromedp.KeyEvent(kb.Tab))
				state := eval[[]string](t, v, `(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
					return [e.tagName, s.outlineStyle, s.outlineWidth, String(r.bottom > 0 && r.top < innerHeight)]; })()`)
				if state[0] == "BODY" {
					break
				}
				kinds[state[0]] = true
				if state[1] == "none" || state[2] == "0px" || state[3] != "true" {
					t.Fatalf("after %d times: the focus on %s cannot be seen (%s)", i+1, state[0], strings.Join(state[1:], ", "))
				}
			}
			for _, kind := range []string{"A", "SUMMARY", "INPUT", "SELECT"} {
				if !kinds[kind] {
					t.Errorf("the keyboard does not reach any %s", kind)
				}
			}
			// Enter unfolds what has the focus.
			toggled := eval[bool](t, v, `(() => { const s = document.querySelector('summary'); s.focus(); window.wasOpen = s.parentElement.open; return true; })()`)
			v.do(t, chromedp.KeyEvent(kb.Enter))
			if !toggled || !eval[bool](t, v, `document.querySelector('summary').parentElement.open !== window.wasOpen`) {
				t.Error("enter does not unfold")
			}
			v.complaints(t)
		})
	}
}

// TestScript uses the filter, the sorting and the links of the page.
func TestScript(t *testing.T) {
	parent := browser(t)
	for _, file := range pages(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			v := open(t, parent, file, "light", 1400, true)
			rows := eval[int](t, v, `document.querySelectorAll('#filter') && document.querySelectorAll('tbody tr[data-name]').length`)
			if rows < 2 {
				t.Skip("there is nothing to filter")
			}
			shown := `[...document.querySelectorAll('tbody tr[data-name]')].filter(e => e.offsetParent).length`
			last := eval[string](t, v, `[...document.querySelectorAll('tbody tr[data-name]')].at(-1).dataset.name`)
			filter, err := json.Marshal(last)
			if err != nil {
				t.Fatal(err)
			}
			n := eval[int](t, v, fmt.Sprintf(`(() => { const f = document.getElementById('filter'); f.value = %s; f.dispatchEvent(new Event('input')); return %s; })()`, filter, shown))
			if n < 1 || n >= rows {
				t.Errorf("the filter shows %d of %d rows", n, rows)
			}
			eval[bool](t, v, `(() => { const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input')); return true; })()`)
			const order = `[...document.querySelectorAll('tbody tr[data-name]')].map(e => e.dataset.name)`
			press := `document.querySelector('table.sort thead th button').click(), true`
			eval[bool](t, v, press)
			up := eval[[]string](t, v, order)
			eval[bool](t, v, press)
			down := eval[[]string](t, v, order)
			slices.Reverse(down)
			if len(up) != rows || !slices.IsSorted(up) || !slices.Equal(slices.Compact(up), slices.Compact(down)) {
				t.Errorf("sorting by name: got %q and the reverse of %q", up, down)
			}
			hidden := eval[int](t, v, `(() => { let bad = 0; for (const a of document.querySelectorAll('a[href^="#"]')) { location.hash = a.getAttribute('href');
				dispatchEvent(new HashChangeEvent('hashchange')); const e = document.getElementById(a.getAttribute('href').slice(1));
				if (!e || !e.checkVisibility()) bad++; } return bad; })()`)
			if hidden > 0 {
				t.Errorf("%d links lead to what stays folded", hidden)
			}
			v.complaints(t)
		})
	}
}

// TestAccessibility reads the tree that assistive technology sees: everything that can be used, and every picture, has a name.
func TestAccessibility(t *testing.T) {
	parent := browser(t)
	named := []string{"link", "button", "image", "searchbox", "textbox", "combobox", "region", "heading", "navigation", "DisclosureTriangle"}
	for _, file := range pages(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			v := open(t, parent, file, "light", 1400, true)
			eval[bool](t, v, `document.querySelectorAll('details').forEach(d => { d.open = true; }), true`)
			var tree struct {
				Nodes []node `json:"nodes"`
			} // the package for this part of the protocol does not know all words of newer browsers
			v.do(t, chromedp.ActionFunc(func(ctx context.Context) error {
				return cdp.Execute(ctx, "Accessibility.getFullAXTree", nil, &tree)
			}))
			seen := map[string]int{}
			for _, n := range tree.Nodes {
				if n.Ignored {
					continue
				}
				role := n.Role.text()
				seen[role]++
				if slices.Contains(named, role) && strings.TrimSpace(n.Name.text()) == "" {
					t.Errorf("a %s has no name", role)
				}
			}
			for _, role := range []string{"link", "heading", "main", "banner", "contentinfo"} {
				if seen[role] == 0 {
					t.Errorf("got no %s", role)
				}
			}
		})
	}
}

// A node is a part of the tree that assistive technology sees.
type node struct {
	Ignored bool  `json:"ignored"`
	Role    value `json:"role"`
	Name    value `json:"name"`
}

type value struct {
	Value any `json:"value"`
}

func (v value) text() string {
	s, _ := v.Value.(string)
	return s
}
