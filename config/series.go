package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// DefaultSeriesLoss is the share of functions, types and per-CPU variables that an image may lack against the one before it in its series.
const DefaultSeriesLoss = 0.1

// sharePattern matches a share in percent, without anchors: 0% to 100%.
const sharePattern = `\s*(?:[0-9]{1,2}(?:\.[0-9]{1,6})?|100(?:\.0{1,6})?)\s*%\s*`

// shareShape is a share in percent.
func shareShape(refs []string) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Type: "string", Pattern: "^" + sharePattern + "$"}, expressions(refs)}}
}

// series reads the name of a series. It is read before the share.
func (d *decoder) series(m *Image, v *value) {
	m.Series, _ = d.text(v)
	m.SeriesLoss = DefaultSeriesLoss
}

func (d *decoder) seriesLoss(m *Image, v *value) {
	text, ok := d.text(v)
	if !ok {
		return
	}
	share, ok := parseShare(text)
	if !ok {
		d.add(v.position, "", "%q is not a share from 0%% to 100%%, with the sign %%%s", text, likeShare(text))
		return
	}
	m.SeriesLoss = share
}

// likeShare returns a hint for a share without a percent sign, or an example.
func likeShare(text string) string {
	number := strings.TrimSpace(text)
	percent := number + "%"
	if _, ok := parseShare(percent); !ok {
		return ", such as 10%"
	}
	f, _ := strconv.ParseFloat(number, 64) // parseShare read it
	if hundred := strconv.FormatFloat(100*f, 'f', -1, 64) + "%"; f > 0 && f < 1 {
		return fmt.Sprintf(": write %s, or %s if that is meant", hundred, percent)
	}
	return ": write " + percent
}

// parseShare reads a share in percent, such as 10%. The result is from 0 to 1.
func parseShare(text string) (share float64, ok bool) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	number = strings.TrimSpace(number)
	if !percent || number == "" || strings.Trim(number, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || f < 0 || f > 100 {
		return 0, false
	}
	return f / 100, true
}
