//go:build unix

package actions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

// A gitlabJob is a job of GitLab CI, with the keys that the template uses. Unknown keys are errors.
type gitlabJob struct {
	Extends      string   `yaml:"extends"`
	Image        string   `yaml:"image"`
	Stage        string   `yaml:"stage"`
	Needs        []string `yaml:"needs"`
	When         string   `yaml:"when"`
	Parallel     int      `yaml:"parallel"`
	BeforeScript []string `yaml:"before_script"`
	Script       []string `yaml:"script"`
	Artifacts    struct {
		When    string            `yaml:"when"`
		Paths   []string          `yaml:"paths"`
		Reports map[string]string `yaml:"reports"`
	} `yaml:"artifacts"`
}

// gitlab reads the template.
func gitlab(t *testing.T) (stages []string, variables map[string]string, jobs map[string]*gitlabJob) {
	t.Helper()
	var file map[string]any
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join(top(t), "docs", "gitlab-ci.yml"))), &file); err != nil {
		t.Fatal(err)
	}
	as := func(v, to any) {
		text, err := yaml.Marshal(v)
		if err == nil {
			dec := yaml.NewDecoder(bytes.NewReader(text))
			dec.KnownFields(true)
			err = dec.Decode(to)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	jobs = map[string]*gitlabJob{}
	for name, v := range file {
		switch name {
		case "stages":
			as(v, &stages)
		case "variables":
			as(v, &variables)
		default:
			jobs[name] = &gitlabJob{}
			as(v, jobs[name])
		}
	}
	return stages, variables, jobs
}

// TestGitLab: the template is what GitLab accepts, as far as the rules are known here.
func TestGitLab(t *testing.T) {
	stages, variables, jobs := gitlab(t)
	stageOf := func(name string) int { return slices.Index(stages, jobs[name].Stage) }
	visible := 0
	for name, j := range jobs {
		if j.Extends != "" && jobs[j.Extends] == nil {
			t.Errorf("%s extends %s, which does not exist", name, j.Extends)
		}
		if strings.HasPrefix(name, ".") {
			continue
		}
		visible++
		if len(j.Script) == 0 || stageOf(name) < 0 {
			t.Errorf("%s has no script, or the stage %q, which does not exist", name, j.Stage)
		}
		for _, need := range j.Needs {
			if jobs[need] == nil || stageOf(need) >= stageOf(name) {
				t.Errorf("%s needs %s, which is not in an earlier stage", name, need)
			}
		}
		if name == "btfbatch-judge" && j.When != "always" {
			t.Error("the judge does not run after a part that failed")
		}
	}
	if visible != 3 {
		t.Errorf("got %d jobs, want 3", visible)
	}
	if got := fmt.Sprint(jobs["btfbatch-part"].Parallel); got != variables["BTFBATCH_PARTS"] {
		t.Errorf("parallel is %s, and BTFBATCH_PARTS is %s", got, variables["BTFBATCH_PARTS"])
	}
}

// gitlabRun runs the script of a job as GitLab does: one shell, which ends with the first command that fails.
func gitlabRun(t *testing.T, j *gitlabJob, dir string, env ...string) (code int, log string) {
	t.Helper()
	need(t, "bash")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-eo", "pipefail", "-c", strings.Join(j.Script, "\n"))
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	} else if err != nil {
		t.Fatal(err)
	}
	return 0, string(out)
}

// TestGitLabScripts runs the scripts of the template, with images that are good and that differ, with more jobs than images, and with a
// lost report.
func TestGitLabScripts(t *testing.T) {
	bin := built(t)
	_, variables, jobs := gitlab(t)
	for _, tt := range []struct {
		manifest, lost string
		want           int
		log            string
	}{
		{"good.yaml", "", 0, "3 of 3 images ok"},
		{"differs.yaml", "", 3, "differs: arm64"},
		{"failed.yaml", "", 1, "failed: arm64"},
		{"good.yaml", "part-2.json", 1, "has no result"},
	} {
		dir := t.TempDir()
		corpusIn(t, dir)
		env := []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "CI=true", "CI_NODE_TOTAL=" + variables["BTFBATCH_PARTS"]}
		for name, value := range variables {
			env = append(env, name+"="+value)
		}
		env = append(env, "BTFBATCH_MANIFEST="+tt.manifest)
		if code, log := gitlabRun(t, jobs["btfbatch-plan"], dir, env...); code != 0 {
			t.Fatalf("plan: exit code %d\n%s", code, log)
		}
		empty := 0
		for i := range jobs["btfbatch-part"].Parallel {
			_, log := gitlabRun(t, jobs["btfbatch-part"], dir, append(env, fmt.Sprintf("CI_NODE_INDEX=%d", i+1))...)
			if strings.Contains(log, "this one has none") {
				empty++
			}
		}
		if empty != 2 { // three images, of which two stay together
			t.Errorf("%s: %d jobs had nothing to do, want 2", tt.manifest, empty)
		}
		if tt.lost != "" {
			if err := os.Remove(filepath.Join(dir, "report", tt.lost)); err != nil {
				t.Fatal(err)
			}
		}
		code, log := gitlabRun(t, jobs["btfbatch-judge"], dir, env...)
		if code != tt.want || !strings.Contains(log, tt.log) {
			t.Errorf("%s, without %q: got exit code %d, want %d\n%s", tt.manifest, tt.lost, code, tt.want, log)
		}
		if report := jobs["btfbatch-judge"].Artifacts.Reports["junit"]; read(t, filepath.Join(dir, report)) == "" {
			t.Errorf("%s: there is no %s", tt.manifest, report)
		}
		if _, err := os.Stat(filepath.Join(dir, "goldens-2", "goldens", "old.raw")); tt.manifest == "differs.yaml" && err != nil {
			t.Errorf("the new golden: %v", err)
		}
	}
	code, log := gitlabRun(t, jobs["btfbatch-part"], t.TempDir(), "CI_NODE_TOTAL=3", "BTFBATCH_PARTS=4", "CI_NODE_INDEX=1")
	if code != 2 || !strings.Contains(log, "they must be equal") {
		t.Errorf("another number of jobs: got exit code %d\n%s", code, log)
	}
}
