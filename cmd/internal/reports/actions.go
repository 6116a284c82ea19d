package reports

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Limits of GitHub Actions.
const (
	// Annotations is the number of annotations that it shows for a step.
	Annotations = 10
	// maxNamed is the number of images in an output of a step. All outputs of a job together may have 1 MB.
	maxNamed = 1000
)

// Actions returns the outlets for the files that GitHub Actions makes for a step: the job summary, and the outputs of the step. Both are
// appended to, because a step may write to them several times. A file whose name is empty is left out.
func Actions(summary, outputs string) []Outlet {
	var list []Outlet
	if summary != "" {
		list = append(list, Outlet{word: "GITHUB_STEP_SUMMARY", file: summary, append: true, write: (*report.Report).WriteMarkdown})
	}
	if outputs != "" {
		list = append(list, Outlet{word: "GITHUB_OUTPUT", file: outputs, append: true, write: writeOutputs})
	}
	return list
}

// toEnd appends a report to the file of an outlet.
func toEnd(r *report.Report, o Outlet) error {
	f, err := os.OpenFile(o.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) // GitHub creates the file
	if err != nil {
		return err
	}
	if err := o.write(r, f); err != nil {
		f.Close() // the first error says more
		return err
	}
	return f.Close()
}

// writeOutputs writes the outputs of a step: verdict, exit-code, and the images that differ and failed, as JSON lists. The delimiters are
// random, so that no value can end early and set another output.
func writeOutputs(r *report.Report, w io.Writer) error {
	named := map[report.Status][]string{report.Differs: {}, report.Failed: {}}
	for _, row := range r.Rows() {
		if list, ok := named[row.Status]; ok && len(list) < maxNamed {
			named[row.Status] = append(list, row.Name)
		}
	}
	differs, err := escape.Marshal(named[report.Differs], "", "")
	if err != nil {
		return err
	}
	failed, err := escape.Marshal(named[report.Failed], "", "")
	if err != nil {
		return err
	}
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return err
	}
	end := "btfbatch-" + hex.EncodeToString(random[:])
	var b bytes.Buffer
	for _, o := range []struct{ name, value string }{
		{"verdict", string(r.Status())}, {"exit-code", fmt.Sprint(r.ExitCode())}, {"differs", string(differs)}, {"failed", string(failed)},
	} {
		fmt.Fprintf(&b, "%s<<%s\n%s\n%s\n", o.name, end, o.value, end)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// Annotate writes workflow commands of GitHub Actions for the images that failed or differ from their goldens, the failed ones first. GitHub
// shows each at the image's line in the manifest. There are at most as many as most; if there are more images, the last one counts the rest.
func Annotate(w io.Writer, r *report.Report, manifest string, most int) error {
	workspace := os.Getenv("GITHUB_WORKSPACE")
	file := inWorkspace(manifest, workspace)
	var notes []string
	for _, status := range []report.Status{report.Failed, report.Differs} {
		for _, row := range r.Rows() {
			if row.Status != status {
				continue
			}
			text := row.Error
			if status == report.Differs {
				text = strings.TrimSuffix("differs from its golden: "+row.Golden.Summary, ": ")
			}
			if row.Failure == report.NoGolden {
				text = "its golden does not exist: " + row.Golden.Path
			}
			place := escape.Property(file)
			if row.Manifest != "" {
				place = escape.Property(inWorkspace(row.Manifest, workspace))
			}
			if row.Line > 0 { // a lost image has none
				place += fmt.Sprintf(",line=%d", row.Line)
			}
			notes = append(notes, fmt.Sprintf("::error file=%s,title=%s::%s\n", place, escape.Property("btfbatch: "+row.Name), escape.Data(text)))
		}
	}
	if rest := len(notes) - most; rest > 0 && most > 0 {
		notes = append(notes[:most-1], fmt.Sprintf("::error file=%s,title=btfbatch::and %d more images that failed or differ; the job summary and the report have them\n",
			escape.Property(file), rest+1))
	}
	_, err := io.WriteString(w, strings.Join(notes[:min(most, len(notes))], ""))
	return err
}

// inWorkspace returns a path relative to the workspace, as annotations need it, or the path itself if it is not below the workspace.
func inWorkspace(path, workspace string) string {
	abs, err := filepath.Abs(path)
	if err != nil || workspace == "" {
		return path
	}
	if rel, err := filepath.Rel(workspace, abs); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}
