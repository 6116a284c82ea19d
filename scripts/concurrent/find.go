package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// starters are methods and functions that run their argument, or their caller, on another goroutine.
var starters = []string{"Go", "Parallel", "RunParallel", "AfterFunc", "AddCleanup", "SetFinalizer"}

// servers are packages of the standard library that call functions of their users from their own goroutines.
var servers = []string{"net/http", "net/http/httptest"}

// A choice is a package and those of its tests that start goroutines.
type choice struct {
	path   string
	tests  []string // nil: all
	reason string
}

// line is the choice as the program prints it.
func (c choice) line() string {
	if c.tests == nil {
		return c.path
	}
	return c.path + "\t^(" + strings.Join(c.tests, "|") + ")$"
}

// choose returns the packages of the main module with tests that start goroutines, sorted by path.
func choose(all map[string]*pkg) ([]choice, error) {
	starts := map[string]string{} // by package of the main module: where its product code starts one
	libraries := map[string]bool{}
	for path, p := range all {
		if !p.ours() || p.built() {
			continue
		}
		var err error
		if starts[path], err = productStarts(p, all, libraries); err != nil {
			return nil, err
		}
	}
	var choices []choice
	for _, path := range slices.Sorted(maps.Keys(all)) {
		p := all[path]
		if !p.ours() || p.built() || len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		c, err := p.choose(all, starts)
		if err != nil {
			return nil, err
		}
		if c != nil {
			choices = append(choices, *c)
		}
	}
	return choices, nil
}

// choose returns nil if the package's tests start no goroutines.
func (p *pkg) choose(all map[string]*pkg, starts map[string]string) (*choice, error) {
	linked, ok := all[p.ImportPath+".test"]
	if !ok {
		return nil, fmt.Errorf("%s has test files and no test program", p.ImportPath)
	}
	for _, dep := range linked.Deps {
		dep, _, _ = strings.Cut(dep, " ") // "P [Q.test]" is P, compiled again for the tests of Q
		// Goroutines of a library share data only with its caller.
		if at := starts[dep]; at != "" && (dep == p.ImportPath || !strings.HasPrefix(at, "imports ")) {
			return &choice{path: p.ImportPath, reason: dep + ": " + at}, nil
		}
	}
	for _, i := range append(slices.Clone(p.TestImports), p.XTestImports...) {
		if slices.Contains(servers, i) {
			return &choice{path: p.ImportPath, reason: "its tests import " + i}, nil
		}
	}
	tests, at, err := concurrentTests(p)
	if len(tests) == 0 || err != nil {
		return nil, err
	}
	return &choice{path: p.ImportPath, tests: tests, reason: at}, nil
}

// productStarts returns where a package starts goroutines outside its tests, or which import does; "" if there is no such place.
func productStarts(p *pkg, all map[string]*pkg, libraries map[string]bool) (string, error) {
	for _, i := range p.Imports {
		if slices.Contains(servers, i) {
			return "serves with " + i, nil
		}
		lib := all[i]
		if lib == nil || lib.Standard || lib.ours() {
			continue
		}
		for _, dep := range append([]string{i}, lib.Deps...) {
			does, err := libraryStarts(all[dep], libraries)
			if err != nil {
				return "", err
			}
			if does {
				return "imports " + i, nil
			}
		}
	}
	for _, name := range append(slices.Clone(p.GoFiles), p.CgoFiles...) {
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return "", err
		}
		if at := start(f); at.IsValid() {
			return fmt.Sprintf("%s:%d", name, set.Position(at).Line), nil
		}
	}
	return "", nil
}

// libraryStarts reports whether a package of another module starts goroutines.
func libraryStarts(p *pkg, known map[string]bool) (bool, error) {
	if p == nil || p.Standard || p.ours() {
		return false, nil
	}
	if does, ok := known[p.ImportPath]; ok {
		return does, nil
	}
	does := false
	for _, name := range append(slices.Clone(p.GoFiles), p.CgoFiles...) {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return false, err
		}
		does = does || start(f).IsValid()
	}
	known[p.ImportPath] = does
	return does, nil
}

// start returns the first place below a node that starts a goroutine.
func start(n ast.Node) (at token.Pos) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			at = n.Pos()
		case *ast.SelectorExpr:
			if slices.Contains(starters, n.Sel.Name) {
				at = n.Pos()
			}
		}
		return !at.IsValid()
	})
	return at
}

// concurrentTests returns the tests of a package that start a goroutine, directly or through functions of its test files, and where the
// first start is. The package and its external test package count as one.
func concurrentTests(p *pkg) (tests []string, at string, err error) {
	type function struct {
		names  []string
		starts bool
	}
	functions := map[string][]*function{} // by name; methods of several types may share one
	set := token.NewFileSet()
	for _, name := range append(slices.Clone(p.TestGoFiles), p.XTestGoFiles...) {
		f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, "", err
		}
		for _, d := range f.Decls {
			fn := &function{}
			where := start(d)
			if fn.starts = where.IsValid(); fn.starts && at == "" {
				at = fmt.Sprintf("%s:%d", name, set.Position(where).Line)
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					fn.names = append(fn.names, id.Name)
				}
				return true
			})
			for _, name := range declared(d) {
				functions[name] = append(functions[name], fn)
			}
		}
	}
	var reach func(name string, seen map[string]bool) bool
	reach = func(name string, seen map[string]bool) bool {
		if seen[name] {
			return false
		}
		seen[name] = true
		return slices.ContainsFunc(functions[name], func(fn *function) bool {
			return fn.starts || slices.ContainsFunc(fn.names, func(n string) bool { return reach(n, seen) })
		})
	}
	if reach("init", map[string]bool{}) || reach("TestMain", map[string]bool{}) || reach("_", map[string]bool{}) {
		return []string{".*"}, at, nil
	}
	for name := range functions {
		for _, prefix := range []string{"Test", "Fuzz", "Example"} {
			if strings.HasPrefix(name, prefix) && reach(name, map[string]bool{}) {
				tests = append(tests, name)
			}
		}
	}
	slices.Sort(tests)
	return tests, at, nil
}

// declared returns the names that a declaration declares. Variables get the additional name _, because their initialisers run before
// any test.
func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return []string{d.Name.Name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names = append(names, n.Name)
				}
				if d.Tok == token.VAR {
					names = append(names, "_")
				}
			case *ast.TypeSpec:
				names = append(names, s.Name.Name)
			}
		}
	}
	return names
}
