//go:build unix

package actions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sebdah/goldie/v2"
)

// actProgram is act, which runs workflows: BTFBATCH_ACT, or act on the PATH. The version is pinned in .ci/actions.
func actProgram(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("BTFBATCH_ACT"); path != "" {
		return path
	}
	need(t, "act")
	return "act"
}

// workspace is a repository with the action, the reusable workflow, the test images and a workflow that uses them.
func workspace(t *testing.T, workflow string) string {
	t.Helper()
	need(t, "git")
	dir := t.TempDir()
	corpusIn(t, dir)
	for _, path := range []string{"action.yml", ".github/action", ".github/workflows/golden.yml", ".github/workflows/accept-goldens.yml"} {
		to := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		copied(t, filepath.Join(top(t), path), to)
	}
	write(t, filepath.Join(dir, ".github", "workflows", "t.yml"), read(t, filepath.Join("testdata", workflow)))
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "test")
	return dir
}

// stubs are the actions of GitHub that are replaced, as arguments of act. Their commits are those of the workflows.
func stubs(t *testing.T) (args []string) {
	t.Helper()
	dir := t.TempDir()
	for action, stub := range map[string]string{"actions/checkout": "checkout", "actions/upload-artifact": "upload", "actions/download-artifact": "download",
		"actions/cache": "cache", "actions/setup-go": "setup-go"} {
		to := filepath.Join(dir, stub)
		copied(t, filepath.Join("testdata", "stubs", stub), to)
		git(t, to, "init", "-q")
		git(t, to, "add", "-A")
		git(t, to, "commit", "-q", "-m", "stub")
		var commit string
		for _, path := range files(t) {
			if m := regexp.MustCompile(action + `[a-z/]*@([0-9a-f]{40})`).FindStringSubmatch(read(t, path)); m != nil {
				commit = m[1]
			}
		}
		args = append(args, "--local-repository", action+"@"+commit+"="+to)
	}
	return args
}

// A line is a log line of act.
type line struct {
	Job       string `json:"job"`
	JobResult string `json:"jobResult"`
	Message   string `json:"msg"`
}

// runAct runs the workflow of a workspace without containers and returns its log.
func runAct(t *testing.T, dir string, env map[string]string, event ...string) (log []line, failed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if len(event) == 0 {
		event = []string{"push"}
	}
	args := append(append(event, "--json", "-W", ".github/workflows/t.yml", "-P", "ubuntu-24.04=-self-hosted", "--pull=false", "--container-daemon-socket", "-",
		"--concurrent-jobs", "2"), stubs(t)...)
	for name, value := range env {
		args = append(args, "--env", name+"="+value)
	}
	cmd := exec.CommandContext(ctx, actProgram(t), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "PATH="+env["PATH"])
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	for text := range bytes.Lines(append(out, stderr.Bytes()...)) {
		var l line
		if json.Unmarshal(text, &l) == nil {
			log = append(log, l)
		}
	}
	if file := os.Getenv("BTFBATCH_ACT_LOG"); file != "" {
		write(t, file, string(out)+stderr.String())
	}
	if len(log) == 0 {
		t.Fatalf("act ran nothing: %v\n%s\n%s", err, out, stderr.Bytes())
	}
	return log, err != nil
}

// TestAct runs the action and the reusable workflow with act. Its golden has the result of every job, annotations, outputs, the artifacts and
// the first lines of summaries.
func TestAct(t *testing.T) {
	bin := built(t)
	// act stops after a reusable workflow that fails, so the good one is alone.
	for _, tt := range []struct {
		name    string
		reports []string // names of merged reports
		fails   bool
	}{{"act-good", []string{"good"}, false}, {"act", []string{"differs", "failed", "lost", "late"}, true}} {
		t.Run(tt.name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", tt.name+".golden"))
			if err != nil {
				t.Fatal(err)
			}
			var log []line
			var got, artifacts string
			for attempt := range 3 { // on a busy machine, act may lose what a step prints just before it ends
				dir, failed := workspace(t, tt.name+".yml"), false
				artifacts = t.TempDir()
				log, failed = runAct(t, dir, map[string]string{"ARTIFACTS": artifacts, "LOSE": "lost-report-2", "REFUSE": "late-outputs-2", "TREE": dir, "PATH": bin + ":" + os.Getenv("PATH")})
				if failed != tt.fails {
					t.Errorf("act failed: %v, want %v", failed, tt.fails)
				}
				if got = strings.ReplaceAll(digest(t, log, artifacts), dir, "WORKSPACE"); got == string(want) || t.Failed() {
					break
				}
				t.Logf("attempt %d differs:\n%s", attempt+1, got)
			}
			goldie.New(t).Assert(t, tt.name, []byte(got))
			checkSummaries(t, filepath.Join(bin, "btfbatch"), summariesOf(log), artifacts, tt.reports)
		})
	}
}

// digest is what is worth comparing of a run.
func digest(t *testing.T, log []line, artifacts string) string {
	t.Helper()
	var text bytes.Buffer
	results, notes := map[string]string{}, map[string][]string{}
	for _, l := range log {
		job := strings.Join(strings.Fields(l.Job), " ")
		if l.JobResult != "" {
			results[job] = l.JobResult
		}
		for part := range strings.Lines(l.Message) {
			part = strings.TrimRight(part, "\n")
			if i := strings.Index(part, "::error "); i >= 0 {
				notes[job] = append(notes[job], part[i:])
			} else if strings.HasPrefix(part, "OUTPUT ") {
				notes[job] = append(notes[job], part)
			}
		}
	}
	fmt.Fprintln(&text, "jobs:")
	for _, job := range slices.Sorted(maps.Keys(results)) {
		fmt.Fprintf(&text, "  %s: %s\n", job, results[job])
	}
	for _, job := range slices.Sorted(maps.Keys(notes)) {
		fmt.Fprintf(&text, "\n%s:\n", job)
		slices.Sort(notes[job])
		for _, n := range notes[job] {
			fmt.Fprintf(&text, "  %s\n", n)
		}
	}
	fmt.Fprintln(&text, "\nartifacts:")
	err := filepath.WalkDir(artifacts, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(artifacts, path)
			fmt.Fprintf(&text, "  %s\n", rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&text, "\nsummaries:")
	summaries := summariesOf(log)
	for _, job := range slices.Sorted(maps.Keys(summaries)) {
		head, _, _ := strings.Cut(summaries[job], "\n")
		fmt.Fprintf(&text, "  %s: %s\n", job, head)
	}
	return text.String()
}

// checkSummaries: the summary of a job is its report in Markdown, which its report in JSON gives again.
func checkSummaries(t *testing.T, program string, summaries map[string]string, artifacts string, names []string) {
	t.Helper()
	for _, name := range names {
		folder := filepath.Join(artifacts, name+"-report")
		shown, err := exec.CommandContext(t.Context(), program, "report", "show", filepath.Join(folder, "report.json"), "--format", "markdown").Output()
		if err != nil {
			t.Errorf("%s: report show: %v", name, err)
		}
		for what, got := range map[string]string{"report.md": read(t, filepath.Join(folder, "report.md")), "the summary": summaries[name+"/golden/judge"]} {
			if strings.TrimSpace(got) != strings.TrimSpace(string(shown)) {
				t.Errorf("%s: %s is %q, want %q", name, what, got, shown)
			}
		}
	}
}

// summariesOf returns the summaries of jobs. act logs them as one message.
func summariesOf(log []line) map[string]string {
	list := map[string]string{}
	for _, l := range log {
		if _, text, ok := strings.Cut(l.Message, "Summary - "); ok {
			list[strings.Join(strings.Fields(l.Job), " ")] += text
		}
	}
	return list
}

// TestActAccept: a comment becomes a commit on the branch of the pull request, unless its author is nobody. GitHub answers from files.
func TestActAccept(t *testing.T) {
	bin := built(t)
	for _, tt := range []struct {
		name, association, body string
		pull                    bool // a pull request, not an issue
		accepted                bool
	}{
		{"a member", "MEMBER", "/btfbatch accept arm64", true, true},
		{"somebody", "CONTRIBUTOR", "/btfbatch accept", true, false},
		{"another comment", "OWNER", "I do not /btfbatch accept this", true, false},
		{"an issue", "OWNER", "/btfbatch accept", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			origin, clone, proposed := checkout(t, bin)
			before := git(t, origin, "rev-parse", "topic")
			dir, artifacts := workspace(t, "act-accept.yml"), t.TempDir()
			if err := os.Rename(proposed, filepath.Join(artifacts, "btfbatch-goldens")); err != nil {
				t.Fatal(err)
			}
			// The repository that is checked out is the action and the branch in one.
			for _, name := range []string{"action.yml", ".github"} {
				copied(t, filepath.Join(dir, name), clone)
			}
			write(t, filepath.Join(clone, ".git", "info", "exclude"), "action.yml\n.github/\n")
			gh := github{permission: "write", state: "open", head: before, branch: "topic", fork: "o/r",
				artifacts: artifact(41, before, "2026-11-30T10:00:00Z", false, 1)}
			tools, answers := gh.fake(t)
			pull := ""
			if tt.pull {
				pull = `, "pull_request": {"url": "x"}`
			}
			event := filepath.Join(t.TempDir(), "event.json")
			write(t, event, fmt.Sprintf(`{"action": "created", "repository": {"full_name": "o/r", "name": "r", "owner": {"login": "o"}}, "issue": {"number": 7%s},
				"comment": {"id": 5, "body": %q, "author_association": %q, "created_at": "2026-11-30T11:00:00Z", "user": {"login": "amy"}}}`, pull, tt.body, tt.association))
			_, failed := runAct(t, dir, map[string]string{"ARTIFACTS": artifacts, "TREE": clone, "FAKE": answers, "REPOSITORY": "o/r",
				"PATH": tools + ":" + bin + ":" + os.Getenv("PATH")}, "issue_comment", "-e", event, "--env", "GITHUB_REPOSITORY=o/r")
			after := git(t, origin, "rev-parse", "topic")
			if failed || tt.accepted != (after != before) {
				t.Errorf("failed: %v; the branch was at %s, and is at %s", failed, before, after)
			}
			if written := read(t, filepath.Join(answers, "written")); tt.accepted != strings.Contains(written, "Accepted 1 new goldens in "+after) {
				t.Errorf("got the answer %q", written)
			}
		})
	}
}
