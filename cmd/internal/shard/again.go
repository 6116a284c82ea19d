package shard

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
	"github.com/btfbatch/btfbatch/golden/report"
)

// Again returns the command for a shell that runs what a merged report lacks, and nothing else: the shards that have no report or did not
// finish, if the parts are shards, and otherwise the images by their names. Its reports are in folder. It returns "" if nothing is missing.
func Again(parts []report.Part, merged *report.Report, manifest, folder string) string {
	undone := merged.Undone()
	if len(undone) == 0 {
		return ""
	}
	manifest = escape.Shell(cmp.Or(manifest, merged.Manifest.Path, "MANIFEST"))
	for _, flag := range flags(parts) {
		manifest += " " + escape.Shell(flag)
	}
	if indexes, count := missing(parts, undone); indexes != nil {
		folder, each := escape.Shell(folder), "$i"
		if len(indexes) == 1 {
			each = indexes[0]
		}
		run := fmt.Sprintf("btfbatch run %s --shard %s/%d --report json=%s/shard-%s.json", manifest, each, count, folder, each)
		if len(indexes) == 1 {
			return run
		}
		return "for i in " + strings.Join(indexes, " ") + "; do " + run + "; done"
	}
	names := make([]string, len(undone))
	for i, name := range undone {
		names[i] = escape.Shell(name)
	}
	return `printf '%s\n' ` + strings.Join(names, " ") + " | btfbatch run " + manifest + " --only-from - --report json=" +
		escape.Shell(filepath.Join(folder, "missing.json"))
}

// flags returns the flags with which the shards ran.
func flags(parts []report.Part) []string {
	for _, p := range parts {
		if p.Report.Shard != nil {
			return p.Report.Shard.Flags
		}
	}
	return nil
}

// missing lists the shards that have the undone images. It returns nil if some of the parts are not shards, or are shards of another number.
func missing(parts []report.Part, undone []string) (indexes []string, count int) {
	left := map[string]bool{}
	for _, name := range undone {
		left[name] = true
	}
	reported := map[int]bool{} // by shard: it has a report in which nothing is undone
	for _, p := range parts {
		s := p.Report.Shard
		if s == nil || count != 0 && s.Count != count {
			return nil, 0
		}
		count = s.Count
		complete := true
		for _, row := range p.Report.Rows() {
			if left[row.Name] {
				complete = false
			}
		}
		reported[s.Index] = complete
	}
	for i := range count {
		if !reported[i] {
			indexes = append(indexes, fmt.Sprint(i))
		}
	}
	return indexes, count
}
