package submit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/btfbatch/btfbatch/cmd/internal/publish"
	"github.com/btfbatch/btfbatch/cmd/internal/reports"
	"github.com/btfbatch/btfbatch/golden/report"
	"github.com/btfbatch/btfbatch/golden/report/exitcode"
)

// A Slurm follows the tasks of a job that it has submitted.
type Slurm struct {
	*Job
	Poll time.Duration // between two looks at the queue
	Show func(string)  // gets the progress in words when it changes; may be nil
	Note func(string)  // gets what happens to single shards; may be nil

	most     int // tasks of an array
	tasks    map[int]*task
	merge    string // the merge job
	attempts map[int]int
}

// A task is the last attempt at a shard.
type task struct {
	array string // the number of its job
	index int
	state string // as squeue prints it; empty before it is seen
	code  int    // exit code, if the state is a final one
	over  bool
	kind  outcome
}

// An outcome says what became of a shard.
type outcome int

const (
	waiting outcome = iota
	running
	done   // its report has a verdict
	again  // another attempt can succeed
	failed // no report, and no reason to believe that another attempt would have one
)

// call runs a program of Slurm.
func call(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if text := strings.TrimSpace(errs.String()); text != "" {
			err = errors.New(text)
		}
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return out.String(), nil
}

// Missing lists the shards whose reports do not exist or say that the shard should run again.
func (j *Job) Missing() (list []int) {
	for s := range j.Shards {
		if kind, err := j.reported(s); err != nil || kind != done {
			list = append(list, s)
		}
	}
	return list
}

// reported says what the report of a shard says. The error is that of a report that is not there or not of this shard.
func (j *Job) reported(s int) (outcome, error) {
	path := j.within(j.Report(strconv.Itoa(s)))
	r, err := reports.Load(path)
	switch {
	case err != nil:
		return failed, err
	case j.Sum != "" && r.Manifest.SHA256 != j.Sum:
		return failed, fmt.Errorf("%s is not about %s as it is now", path, j.Manifest)
	case r.Shard == nil || r.Shard.Index != s || r.Shard.Count != j.Shards:
		return failed, fmt.Errorf("%s is not the report of shard %d of %d", path, s, j.Shards)
	case r.ExitCode() == exitcode.TryAgain:
		return again, nil
	}
	return done, nil
}

// Submit writes the scripts and submits the given shards, with a merge behind them. It removes earlier reports of these shards.
func (s *Slurm) Submit(ctx context.Context, shards []int) error {
	if err := s.limit(ctx); err != nil {
		return err
	}
	folder := s.within(s.Folder)
	for _, dir := range []string{"logs", "reports"} {
		if err := os.MkdirAll(filepath.Join(folder, dir), 0o777); err != nil {
			return err
		}
	}
	var p publish.Publisher
	for name, text := range map[string]string{"shards.sh": s.Script(), "merge.sh": s.MergeScript()} {
		if err := p.File(filepath.Join(folder, name), func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
			return err
		}
	}
	s.tasks, s.attempts = map[int]*task{}, map[int]int{}
	return s.send(ctx, shards)
}

var maxArraySize = regexp.MustCompile(`(?m)^MaxArraySize\s*=\s*(\d+)`)

// limit asks Slurm for the largest array.
func (s *Slurm) limit(ctx context.Context) error {
	text, err := call(ctx, "scontrol", "show", "config")
	if err != nil {
		return err
	}
	s.most = MaxArray
	if m := maxArraySize.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 2 {
			return fmt.Errorf("Slurm accepts no job arrays: MaxArraySize is %s", m[1])
		}
		s.most = n - 1 // indexes from 0
	}
	return nil
}

// send submits shards, and a merge behind all tasks that are not over. What was merged before is removed, so that a merge that does not run
// leaves no report.
func (s *Slurm) send(ctx context.Context, shards []int, more ...string) error {
	if err := os.Remove(s.within(s.Merged())); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	before := ""
	for _, b := range pack(shards, s.most) {
		for _, i := range b.indexes {
			if err := os.Remove(s.within(s.Report(strconv.Itoa(b.first + i)))); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		id, err := sbatch(ctx, s.arrayCall(&b, before, more...))
		if err != nil {
			return err
		}
		if s.Parallel > 0 {
			before = id
		}
		for _, i := range b.indexes {
			s.tasks[b.first+i] = &task{array: id, index: i}
			s.attempts[b.first+i]++
		}
	}
	if s.merge != "" {
		_, _ = call(ctx, "scancel", "--state=PENDING", s.merge) // it may run already, which does no harm
	}
	var arrays []string
	for _, t := range s.tasks {
		if !t.over && !slices.Contains(arrays, t.array) {
			arrays = append(arrays, t.array)
		}
	}
	slices.Sort(arrays)
	id, err := sbatch(ctx, s.mergeCall(arrays))
	s.merge = id
	return err
}

// sbatch submits a script and returns the number of the job.
func sbatch(ctx context.Context, args []string) (string, error) {
	text, err := call(ctx, "sbatch", args...)
	if err != nil {
		return "", err
	}
	id, _, _ := strings.Cut(strings.TrimSpace(text), ";") // a cluster may follow
	if _, err := strconv.Atoi(id); err != nil {
		return "", fmt.Errorf("sbatch: %q is not the number of a job", text)
	}
	return id, nil
}

// Jobs lists the numbers of the arrays, and that of the merge.
func (s *Slurm) Jobs() (arrays []string, merge string) {
	for _, t := range s.tasks {
		if !slices.Contains(arrays, t.array) {
			arrays = append(arrays, t.array)
		}
	}
	slices.Sort(arrays)
	return arrays, s.merge
}

// Wait follows the tasks until they and the merge are over, and submits those again that another attempt can help. It returns the merged
// report.
func (s *Slurm) Wait(ctx context.Context) (*report.Report, error) {
	for {
		if err := s.look(ctx); err != nil {
			return nil, err
		}
		var repeat []int
		open := 0
		for shard, t := range s.tasks {
			switch {
			case t.kind == again && s.attempts[shard] <= s.Retries:
				repeat = append(repeat, shard)
			case !t.over:
				open++
			}
		}
		slices.Sort(repeat)
		if len(repeat) > 0 {
			s.note(fmt.Sprintf("again in %v: shards %s", s.Pause, join(repeat)))
			if err := s.send(ctx, repeat, fmt.Sprintf("--begin=now+%d", int(s.Pause.Seconds()))); err != nil {
				return nil, err
			}
			continue
		}
		if open == 0 {
			break
		}
		if err := sleep(ctx, s.Poll); err != nil {
			return nil, err
		}
	}
	for {
		text, err := s.queue(ctx, s.merge)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(text, " PENDING ") && !strings.Contains(text, " RUNNING ") && !strings.Contains(text, " COMPLETING ") {
			break
		}
		if err := sleep(ctx, s.Poll); err != nil {
			return nil, err
		}
	}
	r, err := reports.Load(s.within(s.Merged()))
	if err != nil {
		return nil, fmt.Errorf("%w; see %s", err, filepath.Join(s.Folder, "logs", "merge.log"))
	}
	return r, nil
}

func (s *Slurm) note(text string) {
	if s.Note != nil {
		s.Note(text)
	}
}

func join(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// queue asks for jobs. Slurm forgets a job some minutes after its end (MinJobAge), which is no error here.
func (s *Slurm) queue(ctx context.Context, jobs ...string) (string, error) {
	text, err := call(ctx, "squeue", "--noheader", "--array", "--states=all", "--jobs="+strings.Join(jobs, ","),
		"--Format=ArrayJobID:20 ,ArrayTaskID:20 ,State:20 ,exit_code:20 ")
	if err != nil && strings.Contains(err.Error(), "Invalid job id") {
		return "", nil
	}
	return text, err
}

// final are the states of a task that does not run again by itself. Slurm repeats a task whose node was lost, so that is not one of them
// unless the configuration forbids it.
var final = []string{"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "REVOKED"}

// look updates the tasks by the queue and by their reports.
func (s *Slurm) look(ctx context.Context) error {
	arrays := []string{}
	for _, t := range s.tasks {
		if !t.over && !slices.Contains(arrays, t.array) {
			arrays = append(arrays, t.array)
		}
	}
	if len(arrays) == 0 {
		return nil
	}
	text, err := s.queue(ctx, arrays...)
	if err != nil {
		return err
	}
	seen := map[string]map[int][2]string{} // by array and index: state and exit code
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 4 {
			continue
		}
		if i, err := strconv.Atoi(f[1]); err == nil {
			if seen[f[0]] == nil {
				seen[f[0]] = map[int][2]string{}
			}
			seen[f[0]][i] = [2]string{f[2], f[3]}
		}
	}
	for shard, t := range s.tasks {
		if !t.over {
			now, there := seen[t.array][t.index]
			s.update(shard, t, now[0], now[1], there)
		}
	}
	s.show()
	return nil
}

// update sets the state of a task. there says that the queue has it.
func (s *Slurm) update(shard int, t *task, state, status string, there bool) {
	t.state, t.kind = state, waiting
	switch {
	case there && !slices.Contains(final, state):
		if state != "PENDING" {
			t.kind = running
		}
		return
	case there:
		if n, err := strconv.Atoi(status); err == nil {
			t.code = n >> 8 // of a wait status
		}
	}
	t.over = true
	kind, err := s.reported(shard)
	lost := slices.Contains([]string{"NODE_FAIL", "PREEMPTED", "BOOT_FAIL"}, state)
	switch {
	case err == nil && (kind == done || !strings.HasPrefix(state, "CANCELLED")): // somebody who cancels a task does not want another one
		t.kind = kind
	case t.code == exitcode.TryAgain && !strings.HasPrefix(state, "CANCELLED") || lost:
		t.kind = again
	default:
		t.kind = failed
		s.note(fmt.Sprintf("shard %d has no result: it ended as %s with exit code %d; see %s", shard, state, t.code,
			filepath.Join(s.Folder, "logs", fmt.Sprintf("%s_%d.log", t.array, t.index))))
	}
}

// show reports the progress.
func (s *Slurm) show() {
	if s.Show == nil {
		return
	}
	var n [failed + 1]int
	for _, t := range s.tasks {
		n[t.kind]++
	}
	text := fmt.Sprintf("%d shards: %d waiting, %d running, %d done", s.Shards, n[waiting], n[running], n[done])
	if n[again] > 0 {
		text += fmt.Sprintf(", %d to run again", n[again])
	}
	if n[failed] > 0 {
		text += fmt.Sprintf(", %d without a report", n[failed])
	}
	s.Show(text)
}
