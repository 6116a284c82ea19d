package evidence

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/config/lock"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A file is a published file of a batch.
type file struct{ name, sha256 string }

// files lists the files that a batch has published, in the order of their names, which are relative to a folder.
func files(r *report.Report, folder string) (list []file, err error) {
	folder, err = filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	for _, row := range r.Rows() {
		for _, o := range row.Outputs {
			path, err := filepath.Abs(o.Path)
			if err != nil {
				return nil, err
			}
			rel, err := filepath.Rel(folder, path)
			if err != nil {
				return nil, err
			}
			if o.SHA256 == "" {
				return nil, fmt.Errorf("%s: the report has no digest of %s", row.Name, o.Path)
			}
			list = append(list, file{filepath.ToSlash(rel), o.SHA256})
		}
	}
	slices.SortFunc(list, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return list, nil
}

// Sums returns the digests of all published files in the format of sha256sum. Names are relative to the folder of the file that the sums are
// written to, so `sha256sum -c` works there. Images that failed have no lines.
func Sums(r *report.Report, to string) ([]byte, error) {
	list, err := files(r, filepath.Dir(to))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for _, f := range list {
		name := strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(f.name)
		if name != f.name {
			b.WriteByte('\\') // which says that the name is escaped
		}
		fmt.Fprintf(&b, "%s  %s\n", f.sha256, name)
	}
	return b.Bytes(), nil
}

// The types of a statement. The builds of btfbatch are described in docs/evidence.md.
const (
	statementType  = "https://in-toto.io/Statement/v1"
	provenanceType = "https://slsa.dev/provenance/v1"
	buildType      = "https://github.com/btfbatch/btfbatch/blob/main/docs/evidence.md#build-type-v1"
	builderID      = "https://github.com/btfbatch/btfbatch"
)

// A statement is an in-toto Statement v1 with the predicate of SLSA provenance v1.
type statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     provenance `json:"predicate"`
}

// A resource is the ResourceDescriptor of in-toto.
type resource struct {
	Name        string            `json:"name"`
	Digest      map[string]string `json:"digest,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type provenance struct {
	BuildDefinition buildDefinition `json:"buildDefinition"`
	RunDetails      runDetails      `json:"runDetails"`
}

type buildDefinition struct {
	BuildType            string         `json:"buildType"`
	ExternalParameters   map[string]any `json:"externalParameters"`
	ResolvedDependencies []resource     `json:"resolvedDependencies"`
}

type runDetails struct {
	Builder builder `json:"builder"`
}

type builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version"`
}

// ErrNothing says that there is no statement about a batch.
var ErrNothing = errors.New("no file was published, and a statement is about files")

// IsStatement reports whether a text is a statement about a batch, of any version of btfbatch.
func IsStatement(text []byte) bool {
	var s struct {
		Type      string `json:"_type"`
		Predicate provenance
	}
	return json.Unmarshal(text, &s) == nil && s.Type == statementType && s.Predicate.RunDetails.Builder.ID == builderID
}

// Provenance returns an unsigned in-toto statement about all published files. Names are relative to the folder of the file that it is written to.
// A batch that published nothing has no statement; the error wraps ErrNothing.
func Provenance(r *report.Report, to string) ([]byte, error) {
	list, err := files(r, filepath.Dir(to))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: %w", to, ErrNothing)
	}
	s := statement{Type: statementType, PredicateType: provenanceType}
	for _, f := range list {
		s.Subject = append(s.Subject, resource{Name: escape.UTF8(f.name), Digest: map[string]string{"sha256": f.sha256}})
	}
	manifest := resource{Name: escape.UTF8(filepath.Base(r.Manifest.Path)), Digest: sha(r.Manifest.SHA256)}
	var images []string
	dependencies := []resource{manifest}
	if sum := r.Manifest.LockSHA256; sum != "" {
		dependencies = append(dependencies, resource{Name: manifest.Name + lock.Suffix, Digest: sha(sum)})
	}
	files := len(dependencies)
	for _, row := range r.Rows() {
		if len(row.Outputs) == 0 {
			continue
		}
		images = append(images, row.Name)
		notes := map[string]string{"image": row.Name}
		for key, value := range map[string]string{"build_id": row.BuildID, "release": row.Release} {
			if value != "" {
				notes[key] = value
			}
		}
		dependencies = append(dependencies, resource{Name: cmp.Or(escape.UTF8(base(row.Path)), row.Name), Digest: sha(row.InputSHA256), Annotations: notes})
		if row.BaseSHA256 != "" {
			dependencies = append(dependencies, resource{Name: escape.UTF8(base(row.Base)), Digest: sha(row.BaseSHA256),
				Annotations: map[string]string{"base_of": row.Name}})
		}
	}
	slices.Sort(images)
	slices.SortStableFunc(dependencies[files:], func(a, b resource) int {
		return cmp.Or(cmp.Compare(cmp.Or(a.Annotations["image"], a.Annotations["base_of"]), cmp.Or(b.Annotations["image"], b.Annotations["base_of"])), cmp.Compare(a.Name, b.Name))
	})
	s.Predicate.BuildDefinition = buildDefinition{BuildType: buildType, ResolvedDependencies: dependencies,
		ExternalParameters: map[string]any{"manifest": manifest, "images": images}}
	s.Predicate.RunDetails.Builder = builder{ID: builderID, Version: map[string]string{"btfbatch": version(r.Tool)}}
	text, err := escape.Marshal(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// version is the version of the program, with the commit if it is known.
func version(t report.Tool) string {
	text := t.Version
	if t.Commit != "" {
		text += "+" + t.Commit
	}
	if t.Modified {
		text += ".modified"
	}
	return text
}

func sha(digest string) map[string]string {
	if _, err := hex.DecodeString(digest); err != nil || digest == "" {
		return nil
	}
	return map[string]string{"sha256": digest}
}
