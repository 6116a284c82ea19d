package batch

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/columns"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// WritePlan writes the images in the order in which Run would encode them, with their settings and outputs. bad is the number of images that
// cannot be encoded. width is that of the terminal, or 0 if nothing bounds the lines.
func WritePlan(ctx context.Context, w io.Writer, items []corpus.Item, profile config.Profile, width int) (bad int, err error) {
	corpus.Inspect(ctx, items, nil)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var table, notes bytes.Buffer
	head := []string{"IMAGE", "ARCH", "PROFILE", "FEATURES", "BASE", "PATH", "OUTPUTS", "GOLDEN"}
	stores := Published(items) > 0
	if stores {
		head = append(head, "PUBLISH")
	}
	var rows [][]string
	for i := range items {
		it, im := &items[i], &items[i].Image
		base := it.BaseFile
		if it.Base >= 0 {
			base = items[it.Base].Image.Name
		}
		var outputs []string
		for _, o := range im.Outputs.List() {
			outputs = append(outputs, o.Path)
		}
		features := "default"
		if im.FeaturesGiven {
			features = im.Features.String()
		}
		row := []string{or(im.Label()), or(cmp.Or(it.Arch, im.Arch)), string(cmp.Or(profile, im.Profile)), or(features), or(base), or(cmp.Or(im.Path, it.File.Where())),
			or(strings.Join(outputs, " ")), or(compared(im))}
		if stores {
			row = append(row, or(places(im)))
		}
		rows = append(rows, row)
		if it.Err != nil {
			bad++
			fmt.Fprintf(&notes, "%s\n", escape.Line(im.Label()+": "+oneLine(it.Err)))
		}
	}
	table.WriteString(columns.Table(head, rows, width))
	if bad > 0 {
		fmt.Fprintf(&table, "\n%d of %d images cannot be encoded:\n", bad, len(items))
	}
	for _, note := range Notes(items, profile) {
		fmt.Fprintf(&notes, "\nnote: %s\n", escape.Line(note))
	}
	_, err = w.Write(append(table.Bytes(), notes.Bytes()...))
	return bad, err
}

// places lists the addresses where an image is published.
func places(im *config.Image) string {
	var list []string
	for i := range im.Publish {
		list = append(list, im.Publish[i].To)
	}
	return strings.Join(list, " ")
}

// compared returns what an image is compared with, for the table.
func compared(im *config.Image) string {
	switch im.Check.Policy {
	case "", config.Exact:
		return im.Golden
	case config.OwnBTF:
		return "(its own .BTF)"
	}
	return fmt.Sprintf("%s (%s)", im.Golden, im.Check.Policy)
}

// or returns a cell of the table, with a dash in place of an empty text.
func or(s string) string { return cmp.Or(escape.Line(s), "-") }
