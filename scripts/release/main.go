// Command release writes what scripts/release.sh needs beside the binaries: the list of the modules in them (a CycloneDX SBOM), and zip
// archives.
//
// Input: built programs, folders. Output: files that depend on the contents only. Never: the command does not use the network.
package main

import (
	"archive/zip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "zip":
		return writeZip(args[1], args[2])
	case len(args) > 3 && args[0] == "sbom":
		return writeSBOM(os.Stdout, args[1], args[2], args[3:])
	}
	return errors.New("usage: release zip FILE FOLDER, or release sbom VERSION EPOCH PROGRAM [PROGRAM]")
}

// epoch is the time of everything, from SOURCE_DATE_EPOCH.
func epoch(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(n, 0).UTC(), err
}

// writeZip archives a folder under its own name. Files are sorted, and have one time.
func writeZip(file, folder string) (err error) {
	at, err := epoch(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := zip.NewWriter(f)
	parent := filepath.Dir(folder)
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(parent, path)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate, Modified: at}
		h.SetMode(0o644)
		if strings.HasSuffix(rel, ".exe") {
			h.SetMode(0o755)
		}
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
	return errors.Join(err, z.Close())
}

// A component is a part of the release in CycloneDX 1.6.
type component struct {
	Type       string      `json:"type"`
	Ref        string      `json:"bom-ref"`
	Name       string      `json:"name"`
	Version    string      `json:"version"`
	Purl       string      `json:"purl,omitempty"`
	Hashes     []hash      `json:"hashes,omitempty"`
	Properties []property  `json:"properties,omitempty"`
	Components []component `json:"components,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

// A bill is a software bill of materials.
type bill struct {
	Schema       string       `json:"$schema"`
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

// writeSBOM lists the modules that the linker put into programs, as each program says itself.
func writeSBOM(w io.Writer, version, date string, programs []string) error {
	at, err := epoch(date)
	if err != nil {
		return err
	}
	const self = "pkg:golang/github.com/btfbatch/btfbatch"
	modules := map[string]component{}
	main := component{Type: "application", Ref: self + "@" + version, Name: "btfbatch", Version: version, Purl: self + "@" + version}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(program)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		name := filepath.Base(filepath.Dir(program)) + "/" + filepath.Base(program)
		main.Components = append(main.Components, component{Type: "file", Ref: name, Name: name, Version: version,
			Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}}})
		std := strings.TrimPrefix(info.GoVersion, "go")
		modules["std"] = component{Type: "library", Ref: "pkg:golang/std@" + std, Name: "std", Version: std, Purl: "pkg:golang/std@" + std}
		for _, m := range info.Deps {
			if m.Replace != nil {
				return fmt.Errorf("%s: module %s is replaced", program, m.Path)
			}
			purl := "pkg:golang/" + m.Path + "@" + m.Version
			modules[m.Path] = component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, Purl: purl,
				Properties: []property{{"go:sum", m.Sum}}}
		}
	}
	b := bill{Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: metadata{at.Format(time.RFC3339), main}}
	uses := dependency{Ref: main.Ref}
	for _, m := range modules {
		b.Components = append(b.Components, m)
	}
	slices.SortFunc(b.Components, func(x, y component) int { return strings.Compare(x.Ref, y.Ref) })
	for _, m := range b.Components {
		uses.DependsOn = append(uses.DependsOn, m.Ref)
	}
	b.Dependencies = []dependency{uses}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(b)
}
