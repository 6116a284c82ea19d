package btfbatch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updateNotice = flag.Bool("update-notice", false, "write NOTICE anew")

// noticeHead opens the file NOTICE.
const noticeHead = `btfbatch
Copyright the btfbatch authors. Licensed under the Apache License, Version 2.0; see LICENSE.

The program contains the Go standard library and the modules below, which are under licences of their own.
This file is made by: go test -run Notice . -update-notice
`

// A linked module is a Go module that is linked into the program.
type linked struct {
	Path, Version, Dir string
}

// linkedModules lists the modules of which packages are linked into the program on any system that it is built for, by path.
func linkedModules(t *testing.T) []linked {
	t.Helper()
	found := map[string]linked{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-deps", "-json=Module", "./cmd/btfbatch")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", system, err)
		}
		for dec := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				Module *struct {
					linked
					Main bool
				}
			}
			if err := dec.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if p.Module != nil && !p.Module.Main {
				found[p.Module.Path] = p.Module.linked
			}
		}
	}
	list := make([]linked, 0, len(found))
	for _, m := range found {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b linked) int { return strings.Compare(a.Path, b.Path) })
	return list
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([-.].*)?$`)

// licences returns the texts that a module asks to be passed on, in the order of their file names.
func licences(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		if !e.Type().IsRegular() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
	}
	return b.String()
}

// TestNotice holds NOTICE against the modules that are linked in: a static binary has to carry their copyright notices.
func TestNotice(t *testing.T) {
	var b strings.Builder
	b.WriteString(noticeHead)
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	entries := []linked{{Path: "The Go standard library (https://go.dev)", Dir: strings.TrimSpace(string(root))}}
	for _, m := range append(entries, linkedModules(t)...) {
		text := licences(t, m.Dir)
		if text == "" {
			t.Errorf("%s has no licence file", m.Path)
		}
		fmt.Fprintf(&b, "\n%s\n%s\n%s", strings.Repeat("=", 80), strings.TrimSpace(m.Path+" "+m.Version), text)
	}
	if *updateNotice {
		if err := os.WriteFile("NOTICE", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Error("NOTICE does not have the modules that are linked in, or their licences: go test -run Notice . -update-notice")
	}
}
