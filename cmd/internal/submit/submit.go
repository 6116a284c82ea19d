// Package submit hands a batch to a scheduler as an array of shards, with a job behind it that merges their reports.
//
// Input: a Job, which says what to run and how much of it at once. Output: scripts for Slurm, which it can submit and follow, and rendered
// jobs for Kubernetes, GitLab and GitHub. Never: the package schedules nothing itself, and encodes nothing.
package submit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// A Job is a batch that runs as an array of shards.
type Job struct {
	Program  string   // that runs the shards
	Manifest string   // as the program finds it from Dir
	Sum      string   // the digest of the manifest, which reports have; "" if it does not matter
	Dir      string   // the working folder of all tasks, with an absolute path
	Folder   string   // for scripts, logs and reports, below Dir or with an absolute path
	Shards   int      // at least 1
	Flags    []string // more flags for run
	Again    string   // the command line that submits what is missing
	Sums     string   // file for the digests of all outputs, which the merge writes; "" for none
	// Provenance is the file for the statement about all outputs, likewise.
	Provenance string

	CPUs     int           // per task; 0: all that it finds
	Memory   int64         // per task, in bytes; 0: what the scheduler gives
	Time     time.Duration // per task; 0: what the scheduler allows
	Parallel int           // tasks that run at once; 0: all
	Retries  int           // attempts after the first one, for shards that ask for another one
	Pause    time.Duration // before a further attempt
	Options  []string      // more options for the scheduler
	Image    string        // of the container, for engines that have them

	// For Kubernetes.
	Claim          string // the persistent volume claim that holds Dir
	User           int    // of the containers
	EnvSecret      string // the secret with environment variables for the shards; "" for none
	RegistrySecret string // the secret of the type kubernetes.io/dockerconfigjson for the shards; "" for none
}

// Reports is the folder of the reports of the shards.
func (j *Job) Reports() string { return filepath.Join(j.Folder, "reports") }

// Report is the file of the report of a shard, whose number may be a variable of a shell.
func (j *Job) Report(shard string) string { return filepath.Join(j.Reports(), "shard-"+shard+".json") }

// Merged is the file of the report of the whole batch.
func (j *Job) Merged() string { return filepath.Join(j.Folder, "report.json") }

// within is a path that the program can open, whatever its working folder.
func (j *Job) within(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(j.Dir, path)
}

// run returns the command of a shard for a shell, except its number and report.
func (j *Job) run() []string {
	words := []string{j.Program, "run", j.Manifest, "--progress=plain"}
	if j.CPUs > 0 {
		words = append(words, "--jobs="+strconv.Itoa(j.CPUs))
	}
	if j.Memory > 0 {
		words = append(words, j.budget())
	}
	return append(words, j.Flags...)
}

// budget is the flag of run for the memory of a task. The rest is for the program, its files in memory, and what a prediction is wrong by.
func (j *Job) budget() string { return fmt.Sprintf("--memory=%dMiB", max(j.Memory>>20*7/8, 1)) }

// merge returns the command that merges the reports.
func (j *Job) merge() []string {
	words := []string{j.Program, "report", "merge", "--manifest=" + j.Manifest, j.Reports(), "--report=text", "--report=json=" + j.Merged()}
	for _, f := range [][2]string{{"--sums=", j.Sums}, {"--provenance=", j.Provenance}, {"--again=", j.Again}} {
		if f[1] != "" {
			words = append(words, f[0]+f[1])
		}
	}
	return words
}

// made lists the files that the merge writes.
func (j *Job) made() []string {
	return slices.DeleteFunc([]string{j.Merged(), j.Sums, j.Provenance}, func(path string) bool { return path == "" })
}

// shell quotes words for a POSIX shell.
func shell(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = escape.Shell(w)
	}
	return strings.Join(quoted, " ")
}

// minutes is a duration in minutes, rounded up.
func minutes(d time.Duration) int { return int((d + time.Minute - 1) / time.Minute) }
