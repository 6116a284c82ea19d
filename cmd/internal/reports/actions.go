package reports

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Summary is the job summary of GitHub Actions: Markdown, appended to a file that other steps write to as well.
func Summary(file string) Outlet {
	return Outlet{file: file, append: true, write: (*report.Report).WriteMarkdown}
}

func toEnd(_ *publish.Publisher, r *report.Report, o Outlet) error {
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

// Annotate writes a workflow command of GitHub Actions for each image that failed or differs from its golden. GitHub shows it at the
// image's line in the manifest.
func Annotate(w io.Writer, r *report.Report, manifest string, lines map[string]int) error {
	for _, row := range r.Rows() {
		text := row.Error
		switch row.Status {
		case report.Failed:
		case report.Differs:
			text = strings.TrimSuffix("differs from its golden: "+row.Golden.Summary, ": ")
		default:
			continue
		}
		_, err := fmt.Fprintf(w, "::error file=%s,line=%d,title=%s::%s\n", escape.Property(manifest), lines[row.Name],
			escape.Property("btfbatch: "+row.Name), escape.Data(text))
		if err != nil {
			return err
		}
	}
	return nil
}
