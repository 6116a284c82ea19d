// Concurrent finds the tests that start goroutines: the only ones in which the race detector can find anything.
//
// Input: the module in the working directory. Output: a line for each package, on standard output: its import path, followed by a tab
// and a pattern for go test's -run unless all of its tests are meant. With -v, the reasons are written to standard error. Never: it
// runs no tests.
//
// If product code that a test program is linked with starts goroutines, all tests of the package count. If only test files start
// them, the tests count that contain the start, or that mention, directly or through others, a function of the package's test files
// that does. Mentions are compared by name, without types, so the result may contain too many tests, but not too few. Goroutines of a
// library in another module count only for packages that import it directly, because they share data only with their caller.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	verbose := flag.Bool("v", false, "print the reasons")
	flag.Parse()
	choices, err := run(context.Background(), ".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "concurrent:", err)
		os.Exit(2)
	}
	for _, c := range choices {
		fmt.Println(c.line())
		if *verbose {
			fmt.Fprintf(os.Stderr, "%s: %s\n", c.path, c.reason)
		}
	}
}

func run(ctx context.Context, dir string) ([]choice, error) {
	all, err := list(ctx, dir)
	if err != nil {
		return nil, err
	}
	return choose(all)
}

// A pkg is a package as the go command lists it.
type pkg struct {
	ImportPath                         string
	ForTest                            string
	Dir                                string
	Standard                           bool
	Module                             *struct{ Main bool }
	GoFiles, CgoFiles                  []string
	TestGoFiles, XTestGoFiles          []string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func (p *pkg) ours() bool { return p.Module != nil && p.Module.Main }

// built reports whether the go command derives the package from another one: a test program, a package with its test files, or a
// package compiled with a program's profile.
func (p *pkg) built() bool {
	return strings.Contains(p.ImportPath, " ") || strings.HasSuffix(p.ImportPath, ".test")
}

// list returns every package that the module's tests are linked with, by import path.
func list(ctx context.Context, dir string) (map[string]*pkg, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-test", "-json=ImportPath,Dir,Standard,Module,GoFiles,CgoFiles,TestGoFiles,"+
		"XTestGoFiles,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	all := map[string]*pkg{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pkg)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
}
