//go:build unix

package actions

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeGH is a gh that answers from files: the path of a request, with / and ? as _, names the file. What it is asked to write, it records.
const fakeGH = `#!/usr/bin/env bash
set -euo pipefail
[ "$1" = api ] || exit 2
shift
path='' jq='' fields=()
while [ $# -gt 0 ]; do
	case $1 in
	--jq) jq=$2; shift ;;
	-f) fields+=("$2"); shift ;;
	--paginate | --silent) ;;
	*) path=$1 ;;
	esac
	shift
done
if [ ${#fields[@]} -gt 0 ]; then
	printf '%s %s\n' "$path" "${fields[*]}" >> "$FAKE/written"
	exit 0
fi
file=$FAKE/$(tr '/?' '__' <<< "$path")
[ -f "$file" ] || { echo "gh: Not Found (HTTP 404)" >&2; exit 1; }
jq -r "$jq" < "$file"
`

const (
	sha   = "0123456789abcdef0123456789abcdef01234567"
	other = "fedcba9876543210fedcba9876543210fedcba98"
)

// github is what GitHub answers, and what the step is given.
type github struct {
	permission, state, head, branch, fork string
	artifacts                             string // of the list
}

func (g *github) fake(t *testing.T) (bin, folder string) {
	t.Helper()
	need(t, "jq")
	bin, folder = t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "gh"), fakeGH)
	if err := os.Chmod(filepath.Join(bin, "gh"), 0o755); err != nil {
		t.Fatal(err)
	}
	if g.permission != "" {
		write(t, filepath.Join(folder, "repos_o_r_collaborators_amy_permission"), fmt.Sprintf(`{"permission": %q}`, g.permission))
	}
	write(t, filepath.Join(folder, "repos_o_r_pulls_7"), fmt.Sprintf(`{"state": %q, "head": {"sha": %q, "ref": %q, "repo": {"full_name": %q}}}`,
		g.state, g.head, g.branch, g.fork))
	write(t, filepath.Join(folder, "repos_o_r_actions_runs_42"), fmt.Sprintf(`{"head_sha": %q, "head_branch": %q, "head_repository": {"full_name": %q}}`,
		g.head, g.branch, g.fork))
	write(t, filepath.Join(folder, "repos_o_r_actions_artifacts_name=btfbatch-goldens&per_page=100"), fmt.Sprintf(`{"artifacts": [%s]}`, g.artifacts))
	return bin, folder
}

// artifact is an element of the list of artifacts.
func artifact(run int, head, created string, expired bool, from int) string {
	return fmt.Sprintf(`{"expired": %v, "created_at": %q, "workflow_run": {"id": %d, "head_sha": %q, "repository_id": 1, "head_repository_id": %d}}`,
		expired, created, run, head, from)
}

func TestAcceptFind(t *testing.T) {
	const before, after, at = "2026-11-30T10:00:00Z", "2026-11-30T12:00:00Z", "2026-11-30T11:00:00Z"
	usual := github{permission: "write", state: "open", head: sha, branch: "topic/x", fork: "o/r", artifacts: artifact(41, sha, before, false, 1)}
	with := func(change func(*github)) github {
		g := usual
		change(&g)
		return g
	}
	for _, tt := range []struct {
		name    string
		gh      github
		comment string // empty: by hand
		run     string
		images  string // that are found
		log     string // why it fails
	}{
		{"all images", usual, "/btfbatch accept", "41", "", ""},
		{"all images by name", usual, "/btfbatch accept all\r\nThank you!", "41", "", ""},
		{"some images", usual, "/btfbatch accept debian-6.1 'fed*', x", "41", "debian-6.1,'fed*',x", ""},
		{"the commit", usual, "/btfbatch accept sha:0123456 a", "41", "a", ""},
		{"another commit", usual, "/btfbatch accept sha:fedcba9", "", "", "the head of the pull request is 0123456789ab, not fedcba9"},
		{"no commit", usual, "/btfbatch accept sha:.*", "", "", "is not a commit"},
		{"another command", usual, "/btfbatch acceptance", "", "", "does not start with /btfbatch accept"},
		{"an administrator", with(func(g *github) { g.permission = "admin" }), "/btfbatch accept", "41", "", ""},
		{"a reader", with(func(g *github) { g.permission = "read" }), "/btfbatch accept", "", "", "only those who may push"},
		{"a stranger", with(func(g *github) { g.permission = "" }), "/btfbatch accept", "", "", "only those who may push"},
		{"closed", with(func(g *github) { g.state = "closed" }), "/btfbatch accept", "", "", "the pull request is closed"},
		{"a fork", with(func(g *github) { g.fork = "eve/r" }), "/btfbatch accept", "", "", "in the fork 'eve/r'"},
		{"pushed after the comment", with(func(g *github) { g.artifacts = artifact(41, sha, after, false, 1) }), "/btfbatch accept", "", "", "had new goldens"},
		{"pushed, and not run yet", with(func(g *github) { g.head = other }), "/btfbatch accept", "", "", "had new goldens"},
		{"of a fork", with(func(g *github) { g.artifacts = artifact(41, sha, before, false, 2) }), "/btfbatch accept", "", "", "had new goldens"},
		{"expired", with(func(g *github) { g.artifacts = artifact(41, sha, before, true, 1) }), "/btfbatch accept", "", "", "had new goldens"},
		{"the newest run", with(func(g *github) {
			g.artifacts = artifact(44, sha, "2026-11-30T10:30:00Z", false, 1) + "," + artifact(41, sha, before, false, 1) + "," + artifact(99, sha, after, false, 1)
		}), "/btfbatch accept", "44", "", ""},
		{"a branch that is an option", with(func(g *github) { g.branch = "--force" }), "/btfbatch accept", "", "", "is not the name of a branch"},
		{"by hand", usual, "", "42", "a,b", ""},
		{"by hand, of a fork", with(func(g *github) { g.fork = "eve/r" }), "", "", "", "is of the fork 'eve/r'"},
	} {
		bin, folder := tt.gh.fake(t)
		s := step{path: bin, env: map[string]string{"FAKE": folder, "REPOSITORY": "o/r", "ARTIFACT": "btfbatch-goldens", "ACTOR": "amy", "GH_TOKEN": "x"}}
		if tt.comment == "" {
			maps.Copy(s.env, map[string]string{"RUN": "42", "IMAGES": "a,b", "PULL_REQUEST": ""})
		} else {
			maps.Copy(s.env, map[string]string{"PULL_REQUEST": "7", "COMMENT": tt.comment, "COMMENTED_AT": at})
		}
		got := s.run(t, "accept.sh", "find")
		if tt.log != "" {
			if got.code == 0 || !strings.Contains(got.log, tt.log) || len(got.outputs) > 0 {
				t.Errorf("%s: got exit code %d, %q and %q, want %q", tt.name, got.code, got.outputs, got.log, tt.log)
			}
			continue
		}
		want := map[string]string{"run": tt.run, "sha": sha, "branch": "topic/x", "images": tt.images}
		if got.code != 0 || !maps.Equal(got.outputs, want) {
			t.Errorf("%s: got exit code %d and %q, want %q\n%s", tt.name, got.code, got.outputs, want, got.log)
		}
	}
	bin, folder := usual.fake(t)
	s := step{path: bin, env: map[string]string{"FAKE": folder, "REPOSITORY": "o/r", "RUN": "42/../7", "IMAGES": "", "ARTIFACT": "x"}}
	if got := s.run(t, "accept.sh", "find"); got.code == 0 || !strings.Contains(got.log, "is not the number of a run") {
		t.Errorf("a path as number: got exit code %d and %q", got.code, got.log)
	}
}

// git runs git in a folder.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// checkout is a clone of a repository with the test images at its branch topic, and the goldens that a run would propose.
func checkout(t *testing.T, bin string) (origin, clone, proposed string) {
	t.Helper()
	need(t, "git")
	work := t.TempDir()
	origin, clone, proposed = filepath.Join(work, "origin"), filepath.Join(work, "clone"), filepath.Join(work, "new")
	source := filepath.Join(work, "source")
	corpusIn(t, source)
	git(t, source, "init", "-q", "-b", "topic")
	git(t, source, "add", "-A")
	git(t, source, "commit", "-q", "-m", "images")
	git(t, work, "clone", "-q", "--bare", source, origin)
	git(t, work, "clone", "-q", "-b", "topic", origin, clone)
	s := step{dir: clone, path: bin, env: maps.Clone(defaults)}
	maps.Copy(s.env, map[string]string{"MANIFEST": "differs.yaml", "GOLDENS": "new"})
	got := s.run(t, "run.sh")
	if err := os.Rename(filepath.Join(got.outputs["folder"], "goldens"), proposed); err != nil {
		t.Fatalf("%v\n%s", err, got.log)
	}
	if err := os.RemoveAll(filepath.Join(clone, "out")); err != nil {
		t.Fatal(err)
	}
	return origin, clone, proposed
}

// TestAccept: the new goldens of a run become a commit. The next run is good.
func TestAccept(t *testing.T) {
	bin := built(t)
	origin, clone, proposed := checkout(t, bin)
	before := git(t, clone, "rev-parse", "HEAD")
	s := step{path: bin, env: map[string]string{"CHECKOUT": clone, "NEW": proposed, "MANIFEST": "differs.yaml", "FOLDER": "goldens", "IMAGES": "arm*"}}
	if got := s.run(t, "accept.sh", "apply"); got.code != 0 || got.outputs["changed"] != "1" {
		t.Fatalf("got exit code %d, %q and %q", got.code, got.outputs, got.log)
	}
	s.env = map[string]string{"CHECKOUT": clone, "BRANCH": "topic", "FOLDER": "goldens", "ACTOR": "amy", "RUN_URL": "https://example.org/42", "TOKEN": "secret",
		"SERVER": "https://example.org"}
	got := s.run(t, "accept.sh", "push")
	if got.code != 0 || got.outputs["commit"] == "" || strings.Contains(got.log, "secret") {
		t.Fatalf("got exit code %d, %q and %q", got.code, got.outputs, got.log)
	}
	if head := git(t, origin, "rev-parse", "topic"); head != got.outputs["commit"] {
		t.Errorf("the branch is at %s, want %s", head, got.outputs["commit"])
	}
	if parent := git(t, origin, "rev-parse", "topic^"); parent != before {
		t.Errorf("the commit is on top of %s, want %s", parent, before)
	}
	if changed := git(t, origin, "show", "--name-status", "--format=%s|%b", "topic"); !strings.Contains(changed, "M\tgoldens/old.raw") ||
		!strings.Contains(changed, "Accepted by amy. The run is https://example.org/42.") || strings.Count(changed, "\t") != 1 {
		t.Errorf("the commit is %q", changed)
	}
	run := step{dir: clone, path: bin, env: maps.Clone(defaults)}
	run.env["MANIFEST"] = "differs.yaml"
	if got := run.run(t, "run.sh"); got.outputs["verdict"] != "ok" {
		t.Errorf("the next run: got %q\n%s", got.outputs, got.log)
	}

	// A branch that has moved is not overwritten.
	git(t, clone, "reset", "-q", "--hard", before)
	write(t, filepath.Join(clone, "goldens", "old.raw"), "changed\n")
	if got := s.run(t, "accept.sh", "push"); got.code == 0 || !strings.Contains(got.log, "cannot be pushed") {
		t.Errorf("a branch that has moved: got exit code %d and %q", got.code, got.log)
	}
	// One that was set back gets no commit again that was taken from it, and one that is gone stays so.
	git(t, clone, "reset", "-q", "--hard", "HEAD^")
	git(t, clone, "commit", "-q", "--allow-empty", "-m", "what was looked at")
	write(t, filepath.Join(clone, "goldens", "old.raw"), "changed\n")
	git(t, origin, "update-ref", "refs/heads/topic", before)
	if got := s.run(t, "accept.sh", "push"); got.code == 0 || git(t, origin, "rev-parse", "topic") != before {
		t.Errorf("a branch that was set back: got exit code %d and %q", got.code, got.log)
	}
	git(t, origin, "update-ref", "-d", "refs/heads/topic")
	write(t, filepath.Join(clone, "goldens", "old.raw"), "again\n")
	if got := s.run(t, "accept.sh", "push"); got.code == 0 || git(t, origin, "for-each-ref") != "" {
		t.Errorf("a branch that is gone: got exit code %d and %q", got.code, got.log)
	}
}

// TestAcceptRefuses: whatever a pull request has in it, files change only below the folder of goldens.
func TestAcceptRefuses(t *testing.T) {
	bin := built(t)
	_, clone, proposed := checkout(t, bin)
	link := func(t *testing.T, to, at string) {
		if err := os.Symlink(to, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		env    map[string]string
		change func(t *testing.T, clone, proposed string)
		log    string
	}{
		{"no artifact", nil, func(t *testing.T, _, proposed string) {
			if err := os.RemoveAll(filepath.Join(proposed, "goldens")); err != nil {
				t.Fatal(err)
			}
		}, "has no new goldens"},
		{"a file beside the goldens", nil, func(t *testing.T, _, proposed string) {
			write(t, filepath.Join(proposed, ".github", "workflows", "x.yml"), "on: push\n")
		}, "which is not below 'goldens'"},
		{"a folder whose name starts like it", nil, func(t *testing.T, _, proposed string) {
			write(t, filepath.Join(proposed, "goldens2", "x.raw"), "x\n")
		}, "which is not below 'goldens'"},
		{"a link in the artifact", nil, func(t *testing.T, _, proposed string) {
			link(t, "/etc/passwd", filepath.Join(proposed, "goldens", "x.raw"))
		}, "other than files"},
		{"a link as golden", nil, func(t *testing.T, clone, _ string) {
			if err := os.Remove(filepath.Join(clone, "goldens", "old.raw")); err != nil {
				t.Fatal(err)
			}
			link(t, "../good.yaml", filepath.Join(clone, "goldens", "old.raw"))
		}, "symbolic links"},
		{"a link as folder", nil, func(t *testing.T, clone, _ string) {
			if err := os.Rename(filepath.Join(clone, "goldens"), filepath.Join(clone, "elsewhere")); err != nil {
				t.Fatal(err)
			}
			link(t, "elsewhere", filepath.Join(clone, "goldens"))
		}, "leads through a symbolic link"},
		{"a link as manifest", nil, func(t *testing.T, clone, _ string) {
			if err := os.Remove(filepath.Join(clone, "differs.yaml")); err != nil {
				t.Fatal(err)
			}
			link(t, "good.yaml", filepath.Join(clone, "differs.yaml"))
		}, "leads through a symbolic link"},
		{"a damaged golden", nil, func(t *testing.T, _, proposed string) {
			write(t, filepath.Join(proposed, "goldens", "old.raw"), "[1] NOTHING 'x'\n")
		}, "cannot be accepted"},
		{"an unknown image", map[string]string{"IMAGES": "nobody"}, nil, "cannot be accepted"},
		{"images that are flags", map[string]string{"IMAGES": "--new-goldens=/"}, nil, "cannot be accepted"},
		{"a manifest outside", map[string]string{"MANIFEST": "../source/differs.yaml"}, nil, "is not a plain path"},
		{"an absolute manifest", map[string]string{"MANIFEST": "/etc/passwd"}, nil, "is not a plain path"},
		{"no manifest", map[string]string{"MANIFEST": "nowhere.yaml"}, nil, "has no manifest"},
		{"a folder outside", map[string]string{"FOLDER": "goldens/../.."}, nil, "is not a plain path"},
		{"the top", map[string]string{"FOLDER": "."}, nil, "is not a plain path"},
		{"no folder", map[string]string{"FOLDER": ""}, nil, "is not a plain path"},
		{"workflows as folder", map[string]string{"FOLDER": ".github/workflows"}, nil, "belongs to git or GitHub"},
		{"a file that was changed before", nil, func(t *testing.T, clone, _ string) { write(t, filepath.Join(clone, "extra"), "x\n") }, "'extra' was changed"},
		{"a golden in Git LFS", nil, func(t *testing.T, clone, _ string) {
			write(t, filepath.Join(clone, ".git", "info", "attributes"), "*.raw filter=lfs\n")
		}, "is kept in Git LFS"},
		{"git that fails", nil, func(t *testing.T, clone, _ string) { write(t, filepath.Join(clone, ".git", "index"), "damaged") }, "git cannot say"},
		{"a variable of the environment", map[string]string{"SECRET": "s3cret"}, func(t *testing.T, clone, _ string) {
			write(t, filepath.Join(clone, "differs.yaml"), "version: 1\nimages: [{name: arm64, path: images/arm64.elf, golden: \"goldens/${{ env.SECRET }}.raw\"}]\n")
		}, "cannot be accepted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			work := t.TempDir()
			c, p := filepath.Join(work, "clone"), filepath.Join(work, "new")
			for from, to := range map[string]string{clone: c, proposed: p} {
				copied(t, from, to)
			}
			if tt.change != nil {
				tt.change(t, c, p)
			}
			s := step{path: bin, env: map[string]string{"CHECKOUT": c, "NEW": p, "MANIFEST": "differs.yaml", "FOLDER": "goldens", "IMAGES": ""}}
			maps.Copy(s.env, tt.env)
			got := s.run(t, "accept.sh", "apply")
			if got.code == 0 || !strings.Contains(got.log, tt.log) || len(got.outputs) > 0 || strings.Contains(got.log, "s3cret") {
				t.Errorf("got exit code %d, %q and %q, want %q", got.code, got.outputs, got.log, tt.log)
			}
		})
	}
}

func TestAcceptAnswer(t *testing.T) {
	g := github{}
	for result, want := range map[string][]string{
		"success": {"repos/o/r/issues/comments/5/reactions content=+1", "repos/o/r/issues/7/comments body=Accepted 2 new goldens in abc.", "starts no workflows"},
		"failure": {"repos/o/r/issues/comments/5/reactions content=-1", "are not accepted; [the log](https://example.org/log) has the reason"},
	} {
		bin, folder := g.fake(t)
		s := step{path: bin, env: map[string]string{"FAKE": folder, "REPOSITORY": "o/r", "PULL_REQUEST": "7", "COMMENT_ID": "5", "RESULT": result,
			"COMMIT": "abc", "CHANGED": "2", "LOG": "https://example.org/log"}}
		got := s.run(t, "accept.sh", "answer")
		for _, text := range want {
			if written := read(t, filepath.Join(folder, "written")); got.code != 0 || !strings.Contains(written, text) {
				t.Errorf("%s: got exit code %d and %q, want %q\n%s", result, got.code, written, text, got.log)
			}
		}
	}
}
