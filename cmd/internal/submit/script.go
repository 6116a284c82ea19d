package submit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// MaxArray is the number of tasks of an array that Slurm accepts if its configuration does not say otherwise: MaxArraySize is 1001, and
// the highest index is lower than that.
const MaxArray = 1000

// grace is how long before its time limit a task of Slurm is told to leave, in seconds.
const grace = 60

// Check refuses what cannot be written into a script.
func (j *Job) Check() error {
	for _, text := range append([]string{j.Program, j.Manifest, j.Dir, j.Folder, j.Again, j.Sums, j.Provenance}, slices.Concat(j.Flags, j.Options)...) {
		if strings.ContainsAny(text, "\n\r\x00") {
			return fmt.Errorf("%q has a line break, which a script cannot have", text)
		}
	}
	return nil
}

// CheckFolder refuses folders that directives of Slurm cannot name.
func (j *Job) CheckFolder() error {
	if strings.ContainsAny(j.Dir+j.Folder, `"\`) {
		return fmt.Errorf("%s: Slurm takes no folder whose name has quotes or backslashes", filepath.Join(j.Dir, j.Folder))
	}
	return nil
}

// directives writes the options that the array and the merge have in common.
func (j *Job) directives(b *strings.Builder, name, log string) {
	fmt.Fprintf(b, "#SBATCH --job-name=%s\n", name)
	fmt.Fprintf(b, "#SBATCH --chdir=\"%s\"\n", j.Dir)
	fmt.Fprintf(b, "#SBATCH --output=\"%s\"\n", strings.ReplaceAll(filepath.Join(j.within(j.Folder), "logs"), "%", "%%")+"/"+log)
	fmt.Fprintf(b, "#SBATCH --open-mode=append\n#SBATCH --requeue\n")
}

// Script is the sbatch script of the shards. Its argument is the number of the shard that has index 0 in the array.
func (j *Job) Script() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# Runs one of %d shards of %s.\n", j.Shards, j.Manifest)
	j.directives(&b, "btfbatch", "%A_%a.log")
	fmt.Fprintf(&b, "#SBATCH --cpus-per-task=%d\n", j.CPUs)
	if j.Memory > 0 {
		fmt.Fprintf(&b, "#SBATCH --mem=%dM\n", j.Memory>>20)
	}
	if j.Time > 0 {
		fmt.Fprintf(&b, "#SBATCH --time=%d\n", minutes(j.Time))
		fmt.Fprintf(&b, "#SBATCH --signal=B:TERM@%d\n", grace)
	}
	for _, o := range j.Options {
		fmt.Fprintf(&b, "#SBATCH %s\n", o)
	}
	fmt.Fprintf(&b, "set -eu\nshard=$((${1:-0} + SLURM_ARRAY_TASK_ID))\n")
	// exec: signals for the script are for the program.
	fmt.Fprintf(&b, "exec %s --shard=\"$shard/%d\" --report=json=%s/shard-\"$shard\".json\n", shell(j.run()), j.Shards, shell([]string{j.Reports()}))
	return b.String()
}

// MergeScript is the sbatch script that merges the reports.
func (j *Job) MergeScript() string {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n# Merges the reports of the shards of %s.\n", j.Manifest)
	j.directives(&b, "btfbatch-merge", "merge.log")
	for _, o := range j.Options {
		fmt.Fprintf(&b, "#SBATCH %s\n", o)
	}
	fmt.Fprintf(&b, "exec %s\n", shell(j.merge()))
	return b.String()
}

// A block is a part of the shards that fits into one array of Slurm.
type block struct {
	first   int   // the shard that has index 0
	indexes []int // in ascending order
}

// pack distributes shards, in ascending order, to arrays whose indexes are lower than most.
func pack(shards []int, most int) (blocks []block) {
	for _, s := range shards {
		first := s / most * most
		if n := len(blocks); n == 0 || blocks[n-1].first != first {
			blocks = append(blocks, block{first: first})
		}
		last := &blocks[len(blocks)-1]
		last.indexes = append(last.indexes, s-first)
	}
	return blocks
}

// array returns the value of --array.
func (b *block) array(parallel int) string {
	var list []string
	for i := 0; i < len(b.indexes); {
		k := i
		for k+1 < len(b.indexes) && b.indexes[k+1] == b.indexes[k]+1 {
			k++
		}
		if k == i {
			list = append(list, fmt.Sprint(b.indexes[i]))
		} else {
			list = append(list, fmt.Sprintf("%d-%d", b.indexes[i], b.indexes[k]))
		}
		i = k + 1
	}
	text := strings.Join(list, ",")
	if parallel > 0 {
		text += fmt.Sprintf("%%%d", parallel)
	}
	return text
}

// All lists all shards.
func (j *Job) All() []int {
	list := make([]int, j.Shards)
	for i := range list {
		list[i] = i
	}
	return list
}

// Rendered is what would be submitted, as text: both scripts, and the calls of sbatch.
func (j *Job) Rendered() string {
	var b strings.Builder
	for _, f := range []struct{ name, text string }{{"shards.sh", j.Script()}, {"merge.sh", j.MergeScript()}} {
		fmt.Fprintf(&b, "# %s\n%s\n", filepath.Join(j.Folder, f.name), f.text)
	}
	fmt.Fprintf(&b, "# calls, where ARRAY0 is what the first one prints\n")
	var ids []string
	for i, blk := range pack(j.All(), MaxArray) {
		before := ""
		if i > 0 && j.Parallel > 0 {
			before = ids[i-1]
		}
		ids = append(ids, fmt.Sprintf("ARRAY%d", i))
		fmt.Fprintf(&b, "sbatch %s\n", shell(j.arrayCall(&blk, before)))
	}
	fmt.Fprintf(&b, "sbatch %s\n", shell(j.mergeCall(ids)))
	if j.Retries > 0 {
		fmt.Fprintf(&b, "# With --wait, a shard that ended with 75 or was lost is submitted again after %v, at most %d times.\n", j.Pause, j.Retries)
	}
	return b.String()
}

// arrayCall returns the arguments of sbatch for a block. With a limit of tasks that run at once, arrays run one after the other, because
// the limit is that of each array.
func (j *Job) arrayCall(b *block, before string, more ...string) []string {
	args := append([]string{"--parsable", "--array=" + b.array(j.Parallel)}, more...)
	if before != "" {
		args = append(args, "--dependency=afterany:"+before)
	}
	return append(args, filepath.Join(j.within(j.Folder), "shards.sh"), fmt.Sprint(b.first))
}

// mergeCall returns the arguments of sbatch for the merge behind arrays.
func (j *Job) mergeCall(arrays []string) []string {
	args := []string{"--parsable"}
	if len(arrays) > 0 {
		args = append(args, "--dependency=afterany:"+strings.Join(arrays, ":"))
	}
	return append(args, filepath.Join(j.within(j.Folder), "merge.sh"))
}
