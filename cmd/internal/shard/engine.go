package shard

import (
	"fmt"
	"strconv"
	"strings"
)

// A Share is one of several jobs that together run a batch.
type Share struct {
	Index int // from 0
	Count int
}

func (s Share) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Count) }

// MaxCount is the largest number of shards of a batch, which is that of a Job of Kubernetes.
const MaxCount = 100_000

// Variable is the environment variable with the number of shards, for engines that tell a job only its index.
const Variable = "BTFBATCH_SHARDS"

// ParseShare reads the value of --shard: I/N with I from 0, or auto or auto/N for what the environment says. Nothing is taken from the
// environment unless it is asked for.
func ParseShare(text string, getenv func(string) string) (Share, error) {
	left, right, cut := strings.Cut(text, "/")
	count := 0
	if cut {
		var err error
		if count, err = number(right); err != nil || count < 1 || count > MaxCount {
			return Share{}, fmt.Errorf("%q: the number of shards must be between 1 and %d", text, MaxCount)
		}
	}
	if left == "auto" {
		s, err := fromEngine(count, getenv)
		if err != nil {
			return Share{}, fmt.Errorf("%s: %w", text, err)
		}
		return s, nil
	}
	index, err := number(left)
	if err != nil || !cut {
		return Share{}, fmt.Errorf("%q: use I/N with I from 0 to N-1, or auto", text)
	}
	if index >= count {
		return Share{}, fmt.Errorf("%q: shards are counted from 0, so the last of %d is %d/%d", text, count, count-1, count)
	}
	return Share{index, count}, nil
}

// number reads digits.
func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// An engine says how a scheduler tells a task which one it is.
type engine struct {
	name         string
	index, count string // variables; an empty count is one that the engine does not tell
	first        int    // index of the first task
}

// engines are in the order in which they are looked for. A job of a CI system may start one of the others, but not the other way about.
var engines = []engine{
	{"Kubernetes", "JOB_COMPLETION_INDEX", "", 0},
	{"GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1},
	{"Buildkite", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0},
	{"AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", 0},
	{"Cloud Run", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", 0},
	{"CircleCI", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0},
}

// fromEngine finds the share in the environment. wanted is the number of shards; 0 if the environment has to say it.
func fromEngine(wanted int, getenv func(string) string) (Share, error) {
	if text := getenv(Variable); wanted == 0 && text != "" {
		n, err := number(text)
		if err != nil || n < 1 || n > MaxCount {
			return Share{}, fmt.Errorf("%s is %q: the number of shards must be between 1 and %d", Variable, text, MaxCount)
		}
		wanted = n
	}
	if getenv("SLURM_ARRAY_TASK_ID") != "" {
		return fromSlurm(wanted, getenv)
	}
	for _, e := range engines {
		if getenv(e.index) == "" {
			continue
		}
		v := variables{getenv: getenv}
		index, count := v.number(e.index)-e.first, wanted
		if e.count != "" {
			count = v.number(e.count)
		}
		switch {
		case v.err != nil:
			return Share{}, fmt.Errorf("%s: %w", e.name, v.err)
		case count == 0:
			return Share{}, fmt.Errorf("%s does not tell a task how many there are: use auto/N, or set %s", e.name, Variable)
		}
		return share(e.name, index, e.first, count, wanted)
	}
	return Share{}, fmt.Errorf("this is no job array: neither SLURM_ARRAY_TASK_ID nor the variable of another scheduler is set; use I/N")
}

// share checks what an engine says. index is from 0; the engine counts from first.
func share(name string, index, first, count, wanted int) (Share, error) {
	switch {
	case wanted != 0 && wanted != count:
		return Share{}, fmt.Errorf("%s runs %d tasks, which cannot be %d shards: name each one with I/N", name, count, wanted)
	case index < 0 || index >= count:
		return Share{}, fmt.Errorf("%s: task %d is not one of %d that are counted from %d", name, index+first, count, first)
	case count > MaxCount:
		return Share{}, fmt.Errorf("%s: %d shards are more than %d", name, count, MaxCount)
	}
	return Share{index, count}, nil
}

// fromSlurm reads the variables of an array of Slurm, --array=MIN-MAX:STEP. An array with gaps, such as 3,5, is refused: when some tasks of
// an array are submitted again, neither their number nor the lowest index is that of the first submission.
func fromSlurm(wanted int, getenv func(string) string) (Share, error) {
	v := variables{getenv: getenv}
	id, low, high := v.number("SLURM_ARRAY_TASK_ID"), v.number("SLURM_ARRAY_TASK_MIN"), v.number("SLURM_ARRAY_TASK_MAX")
	count, step := v.number("SLURM_ARRAY_TASK_COUNT"), 1
	if getenv("SLURM_ARRAY_TASK_STEP") != "" {
		step = v.number("SLURM_ARRAY_TASK_STEP")
	}
	switch {
	case v.err != nil:
		return Share{}, fmt.Errorf("Slurm: %w", v.err) //nolint:staticcheck // a name
	case step == 0 || (high-low)/step+1 != count || (id-low)%step != 0:
		return Share{}, fmt.Errorf("this array of Slurm has gaps, from %d to %d with %d tasks: use --shard $SLURM_ARRAY_TASK_ID/N", low, high, count)
	}
	return share("Slurm", (id-low)/step, 0, count, wanted)
}

// variables reads numbers from an environment, and keeps the first error.
type variables struct {
	getenv func(string) string
	err    error
}

func (v *variables) number(name string) int {
	text := v.getenv(name)
	n, err := number(text)
	switch {
	case err == nil || v.err != nil:
	case text == "":
		v.err = fmt.Errorf("%s is not set", name)
	default:
		v.err = fmt.Errorf("%s is %q, which is not a number", name, text)
	}
	return n
}
