package reports

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Summary is the job summary of GitHub Actions: Markdown at the end of a file that other steps write as well.
func Summary(file string) Outlet {
	return Outlet{file: file, append: true, write: (*report.Report).WriteMarkdown}
}

func toEnd(_ *publish.Publisher, r *report.Report, o Outlet) error {
	f, err := os.OpenFile(o.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) // GitHub makes the file before
	if err != nil {
		return err
	}
	if err := o.write(r, f); err != nil {
		f.Close() // the first error tells more
		return err
	}
	return f.Close()
}

// Annotate writes a workflow command of GitHub Actions for every image that failed or differs from its golden. GitHub shows it at
// the line of the manifest where the image stands.
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
		_, err := fmt.Fprintf(w, "::error file=%s,line=%d,title=%s::%s\n", property(manifest), lines[row.Name], property("btfbatch: "+row.Name), data(text))
		if err != nil {
			return err
		}
	}
	return nil
}

// data and property write text as workflow commands take it.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string { return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(s)) }
