package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/btfbatch/btfbatch/cmd/internal/batch"
	"github.com/btfbatch/btfbatch/cmd/internal/console"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/columns"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// A resolved says what an image of a manifest stands for today.
type resolved struct {
	Name     string `json:"name"`
	Place    string `json:"source"` // path or URL
	Member   string `json:"member,omitempty"`
	Package  string `json:"package,omitempty"`
	Version  string `json:"version,omitempty"`
	Size     int64  `json:"size,omitempty"`   // of the package or the file, as stored, in bytes
	SHA256   string `json:"sha256,omitempty"` // that an archive states, or that the manifest pins
	Pinned   bool   `json:"pinned"`           // the manifest has the digest
	Arch     string `json:"arch,omitempty"`
	BuildID  string `json:"build_id,omitempty"`
	Release  string `json:"release,omitempty"`
	Compiler string `json:"compiler,omitempty"`
	Error    string `json:"error,omitempty"`
}

func newSources() *cobra.Command {
	var format string
	var most int
	cmd := &cobra.Command{
		Use:   "sources [MANIFEST]",
		Short: "Show what the images of a manifest are today",
		Long: `Show what the images of a manifest are today: for each one the file or URL, the package and its version, the size, the build ID, and the
release of the kernel. As much is fetched and unpacked as that takes. The exit code is 1 if an image is not found. On a terminal, the table is
fitted to its width, and long values are shortened; --format json has them in full.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return usage(fmt.Errorf("format %q is none of text, json", format))
			}
			if err := checkUnpacked(most); err != nil {
				return err
			}
			items, err := load(cmd.Context(), args[0], &choice{}, most, &batch.Options{})
			if err != nil {
				return err
			}
			list := make([]resolved, 0, len(items))
			bad := 0
			for i := range items {
				r := resolve(cmd, &items[i])
				if err := cmd.Context().Err(); err != nil {
					return err
				}
				if r.Error != "" {
					bad++
				}
				list = append(list, r)
			}
			write := writeSources
			if format == "json" {
				write = writeSourcesJSON
			}
			if err := write(cmd.OutOrStdout(), list); err != nil {
				return failed(err)
			}
			if bad > 0 {
				return failed(fmt.Errorf("%s: %d of %d images were not found, or are not what the manifest says", args[0], bad, len(items)))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	maxUnpacked(cmd.Flags(), &most)
	return cmd
}

// resolve opens an image, and closes it again.
func resolve(cmd *cobra.Command, it *corpus.Item) resolved {
	r := resolved{Name: it.Image.Label(), Place: it.Where(), Pinned: it.Pins.SHA256 != "" || it.Origin.Pinned()}
	err := it.Err
	if err == nil {
		f, openErr := it.Open(cmd.Context())
		if err = openErr; err == nil {
			err = f.Close()
		}
	}
	o := &it.Origin
	if o.URL != "" || o.Path != "" {
		r.Place = o.URL + o.Path
	}
	r.Member, r.Package, r.Version, r.SHA256, r.Size = o.Member, o.Package, o.Version, o.SHA256, it.Size
	if o.Size > 0 {
		r.Size = o.Size
	}
	if it.Pins.SHA256 != "" {
		r.SHA256 = it.Pins.SHA256
	}
	r.Arch, r.BuildID, r.Release, r.Compiler = it.Arch, it.BuildID, it.Identity.Release, it.Identity.Compiler
	if err != nil {
		r.Error = escape.Line(err.Error())
	}
	return r
}

// writeSources writes a table. On a terminal, where long cells are shortened, errors are below it.
func writeSources(w io.Writer, list []resolved) error {
	width := console.Columns(w)
	dash := func(text string) string {
		if text == "" {
			return "-"
		}
		return escape.Line(text)
	}
	var rows [][]string
	errs := ""
	for i := range list {
		r := &list[i]
		place := dash(r.Place)
		if r.Member != "" {
			place += " " + escape.Line(r.Member)
		}
		switch {
		case r.Error != "" && width > 0:
			place = "error"
			errs += dash(r.Name) + ": " + r.Error + "\n"
		case r.Error != "":
			place = "error: " + r.Error
		}
		rows = append(rows, []string{dash(r.Name), dash(r.Package), dash(r.Version), fmt.Sprintf("%.1f", float64(r.Size)/(1<<20)), dash(r.Release),
			dash(r.BuildID), place})
	}
	if errs != "" {
		errs = "\n" + errs
	}
	table := columns.Table([]string{"NAME", "PACKAGE", "VERSION", "MIB", "RELEASE", "BUILD ID", "SOURCE"}, rows, width)
	_, err := io.WriteString(w, table+errs)
	return err
}

func writeSourcesJSON(w io.Writer, list []resolved) error {
	return escape.WriteJSON(w, struct {
		Version int        `json:"version"`
		Sources []resolved `json:"sources"`
	}{1, list}, "  ")
}
