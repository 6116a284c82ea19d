package shard

import (
	"strings"
	"testing"
)

// TestParseShare: the variables of every engine, the order in which they are looked for, and what is refused because it cannot be right.
func TestParseShare(t *testing.T) {
	slurm := "SLURM_ARRAY_TASK_ID=%ID SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_STEP=1"
	for _, tt := range []struct {
		text, env string
		want      string // a share, or a part of the error
		fails     bool
	}{
		{"0/1", "", "0/1", false},
		{"16/17", "CI_NODE_INDEX=1 CI_NODE_TOTAL=2", "16/17", false},
		{"99999/100000", "", "99999/100000", false},
		{"17/17", "", "the last of 17 is 16/17", true},
		{"0/0", "", "between 1 and 100000", true},
		{"0/100001", "", "between 1 and 100000", true},
		{"-1/3", "", "use I/N", true},
		{"+1/3", "", "use I/N", true},
		{"1", "", "use I/N", true},
		{"1/2/3", "", "must be between", true},
		{"x/3", "", "use I/N", true},
		{"auto/x", "", "between 1 and", true},
		{"auto", "", "no job array", true},

		{"auto", strings.Replace(slurm, "%ID", "3", 1), "3/8", false},
		{"auto/8", strings.Replace(slurm, "%ID", "3", 1), "3/8", false},
		{"auto/16", strings.Replace(slurm, "%ID", "3", 1), "Slurm runs 8 tasks, which cannot be 16 shards", true},
		{"auto", "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=13 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_STEP=4", "2/4", false},
		{"auto", "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=16 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_STEP=4", "2/4", false},
		{"auto", "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=5 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_STEP=1", "has gaps", true},
		{"auto/8", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=3 SLURM_ARRAY_TASK_COUNT=1 SLURM_ARRAY_TASK_STEP=1", "cannot be 8 shards", true},
		{"auto", "SLURM_ARRAY_TASK_ID=3", "auto: Slurm: SLURM_ARRAY_TASK_MIN is not set", true},
		{"auto", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_STEP=0", "has gaps", true},

		{"auto/3", "JOB_COMPLETION_INDEX=2", "2/3", false},
		{"auto", "JOB_COMPLETION_INDEX=2 BTFBATCH_SHARDS=3", "2/3", false},
		{"auto/4", "JOB_COMPLETION_INDEX=2 BTFBATCH_SHARDS=3", "2/4", false},
		{"auto", "JOB_COMPLETION_INDEX=2", "use auto/N, or set BTFBATCH_SHARDS", true},
		{"auto", "JOB_COMPLETION_INDEX=2 BTFBATCH_SHARDS=many", "BTFBATCH_SHARDS is \"many\"", true},
		{"auto/2", "JOB_COMPLETION_INDEX=2", "task 2 is not one of 2", true},
		{"auto/2", "JOB_COMPLETION_INDEX=two", "JOB_COMPLETION_INDEX is \"two\"", true},
		{"auto", "CI_NODE_INDEX=1 CI_NODE_TOTAL=3", "0/3", false},
		{"auto", "CI_NODE_INDEX=3 CI_NODE_TOTAL=3", "2/3", false},
		{"auto", "CI_NODE_INDEX=0 CI_NODE_TOTAL=3", "task 0 is not one of 3 that are counted from 1", true},
		{"auto", "CI_NODE_TOTAL=1", "no job array", true}, // as in a job of GitLab that is not parallel
		{"auto", "BUILDKITE_PARALLEL_JOB=0 BUILDKITE_PARALLEL_JOB_COUNT=2", "0/2", false},
		{"auto", "AWS_BATCH_JOB_ARRAY_INDEX=1 AWS_BATCH_JOB_ARRAY_SIZE=2", "1/2", false},
		{"auto", "CLOUD_RUN_TASK_INDEX=1 CLOUD_RUN_TASK_COUNT=2", "1/2", false},
		{"auto", "CIRCLE_NODE_INDEX=1 CIRCLE_NODE_TOTAL=2", "1/2", false},
		{"auto", "CIRCLE_NODE_INDEX=1 CIRCLE_NODE_TOTAL=200000", "are more than", true},
		{"auto", strings.Replace(slurm, "%ID", "3", 1) + " CI_NODE_INDEX=1 CI_NODE_TOTAL=3", "3/8", false},
		{"auto/3", "JOB_COMPLETION_INDEX=2 CI_NODE_INDEX=1 CI_NODE_TOTAL=3", "2/3", false},
	} {
		env := map[string]string{}
		for word := range strings.FieldsSeq(tt.env) {
			name, value, _ := strings.Cut(word, "=")
			env[name] = value
		}
		share, err := ParseShare(tt.text, func(name string) string { return env[name] })
		got := share.String()
		if err != nil {
			got = err.Error()
		}
		if (err != nil) != tt.fails || !tt.fails && got != tt.want || !strings.Contains(got, tt.want) {
			t.Errorf("%s with %s: got %q, want %q", tt.text, tt.env, got, tt.want)
		}
	}
}
