package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A pkg is a package of the module, in the form of go list.
type pkg struct {
	ImportPath, Dir                    string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string

	room string // the folder from the root, with slashes
}

func (p *pkg) hasTests() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// A tree holds the packages of the checkout.
type tree struct {
	root  string
	all   []*pkg
	rooms []*pkg // those whose code is changed
}

// notChanged lists packages of tools and of tests.
var notChanged = []string{"scripts/", "corpus/synth", "corpus/peer", "golden/report/schematest"}

func load(ctx context.Context) (*tree, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	t := &tree{root: strings.TrimSpace(string(out))}
	list := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Imports,TestImports,XTestImports", "./...")
	list.Dir = t.root
	if out, err = list.Output(); err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return t, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		rel, err := filepath.Rel(t.root, p.Dir)
		if err != nil {
			return nil, err
		}
		p.room = filepath.ToSlash(rel)
		t.all = append(t.all, p)
		if len(p.GoFiles) > 0 && !slices.ContainsFunc(notChanged, func(s string) bool { return strings.HasPrefix(p.room, s) }) {
			t.rooms = append(t.rooms, p)
		}
	}
}

// dependents returns the other packages with tests that depend on p, the nearest first.
func (t *tree) dependents(p *pkg) (list []*pkg) {
	reached := []*pkg{p}
	for i := 0; i < len(reached); i++ {
		for _, q := range t.all {
			if slices.Contains(reached, q) || strings.HasPrefix(q.room, "scripts/") {
				continue
			}
			if slices.Contains(q.Imports, reached[i].ImportPath) {
				reached = append(reached, q)
			}
		}
	}
	for _, r := range reached {
		for _, q := range t.all {
			uses := q == r || slices.Contains(q.TestImports, r.ImportPath) || slices.Contains(q.XTestImports, r.ImportPath)
			if uses && q != p && q.hasTests() && !slices.Contains(list, q) {
				list = append(list, q)
			}
		}
	}
	return list
}

// Verdicts about a change.
const (
	noticed  = "noticed"
	survived = "survived"
	invalid  = "invalid" // it does not compile
)

// asked returns the packages whose tests should notice a change of p: p itself, then those that use it.
func (t *tree) asked(p *pkg, near bool) (list []*pkg) {
	if p.hasTests() {
		if list = append(list, p); near {
			return list
		}
	}
	return append(list, t.dependents(p)...)
}

// try runs the tests of one package after another. by is the package whose tests failed.
func (t *tree) try(ctx context.Context, dir string, c change, asked []*pkg, opt *options) (verdict, by string, err error) {
	overlay, err := c.overlay(dir)
	if err != nil {
		return "", "", err
	}
	for _, p := range asked {
		out, err := t.test(ctx, p, opt, "-overlay="+overlay).CombinedOutput()
		switch {
		case ctx.Err() != nil:
			return "", "", ctx.Err()
		case err == nil:
		case bytes.Contains(out, []byte("[build failed]")):
			return invalid, "", nil
		default:
			return noticed, "by " + p.room, nil
		}
	}
	return survived, "", nil
}

// pass returns an error if tests fail without any change. sound holds the packages that are known to pass.
func (t *tree) pass(ctx context.Context, asked []*pkg, sound map[string]bool, opt *options) error {
	for _, p := range asked {
		if sound[p.room] {
			continue
		}
		if out, err := t.test(ctx, p, opt).CombinedOutput(); err != nil {
			return fmt.Errorf("tests fail without any change: %w\n%s", err, out)
		}
		sound[p.room] = true
	}
	return nil
}

func (t *tree) test(ctx context.Context, p *pkg, opt *options, args ...string) *exec.Cmd {
	args = append(append([]string{"test"}, args...), "-vet=off", "-failfast", "-skip="+opt.skip, "-timeout="+opt.timeout.String(), p.ImportPath)
	return t.command(ctx, args...)
}

// command returns a call of the go command without pahole and kernels: the tests must notice a change by themselves.
func (t *tree) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", append([]string{args[0], "-pgo=off"}, args[1:]...)...)
	cmd.Dir = t.root
	cmd.Env = append(os.Environ(), "LAB="+filepath.Join(t.root, "no-lab"))
	return cmd
}

// overlay writes the changed file and the JSON file that makes the go command use it.
func (c change) overlay(dir string) (path string, err error) {
	text, err := os.ReadFile(c.path)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, c.apply(text), 0o600); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, []byte(`{"Replace": {`+strconv.Quote(c.path)+`: `+strconv.Quote(changed)+`}}`), 0o600)
}
