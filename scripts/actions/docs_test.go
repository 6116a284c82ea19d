//go:build unix

package actions

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/btfbatch/btfbatch/config"
)

// guide is the page about the action.
func guide(t *testing.T) string {
	t.Helper()
	return read(t, filepath.Join(top(t), "docs", "github-actions.md"))
}

// blocks returns the fenced blocks of a language.
func blocks(text, language string) (list []string) {
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		list = append(list, m[1])
	}
	return list
}

// TestGuideTables: the guide has every input and output of the action and of golden.yml, with its default, and no others.
func TestGuideTables(t *testing.T) {
	type parameter struct {
		Default any `yaml:"default"`
	}
	var action struct {
		Inputs, Outputs map[string]parameter
	}
	var workflow struct {
		On struct {
			Call struct {
				Inputs, Outputs map[string]parameter
			} `yaml:"workflow_call"`
		} `yaml:"on"`
	}
	for path, to := range map[string]any{"action.yml": &action, ".github/workflows/golden.yml": &workflow} {
		if err := yaml.Unmarshal([]byte(read(t, filepath.Join(top(t), path))), to); err != nil {
			t.Fatal(err)
		}
	}
	_, text, _ := strings.Cut(guide(t), "\n## The action\n")
	ofAction, text, _ := strings.Cut(text, "\n## The workflow golden.yml\n")
	ofWorkflow, _, _ := strings.Cut(text, "\n## ")
	row := regexp.MustCompile("(?m)^\\| (`[^|]*`) \\| ([^|]*?) ?\\|")
	for _, tt := range []struct {
		name, text string
		want       map[string]parameter
		others     map[string]parameter // that the text has too
	}{
		{"the action", ofAction, action.Inputs, action.Outputs},
		{"golden.yml", ofWorkflow, workflow.On.Call.Inputs, nil},
	} {
		missing := maps.Clone(tt.want)
		for _, m := range row.FindAllStringSubmatch(tt.text, -1) {
			for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(m[1], -1) {
				p, ok := tt.want[name[1]]
				if _, other := tt.others[name[1]]; !ok && !other {
					t.Errorf("%s has no %s, which the guide has", tt.name, name[1])
				}
				delete(missing, name[1])
				want := ""
				if p.Default != nil && p.Default != "" {
					want = fmt.Sprintf("`%v`", p.Default)
				}
				if ok && m[2] != want && m[2] != "as for the action" {
					t.Errorf("%s: the default of %s is %s, and the guide has %q", tt.name, name[1], want, m[2])
				}
			}
		}
		for name := range missing {
			t.Errorf("the guide does not have %s of %s", name, tt.name)
		}
		for name := range tt.others {
			if !strings.Contains(tt.text, "`"+name+"`") {
				t.Errorf("the guide does not have the output %s", name)
			}
		}
	}
}

// TestGuideWorkflows: the workflows of the guide pass actionlint, which knows the inputs of the action if it is in the same repository.
func TestGuideWorkflows(t *testing.T) {
	if os.Getenv("BTFBATCH_REQUIRE_ACTIONS") != "1" {
		t.Skip("builds actionlint; .ci/actions runs it")
	}
	dir := workspace(t, "act-good.yml")
	list := blocks(guide(t), "yaml")
	n := 0
	for _, text := range list {
		if !strings.Contains(text, "\njobs:\n") {
			continue
		}
		n++
		text = regexp.MustCompile(`btfbatch/btfbatch(/\S+)?@v1`).ReplaceAllString(text, "./$1")
		write(t, filepath.Join(dir, ".github", "workflows", fmt.Sprintf("guide-%d.yml", n)), strings.ReplaceAll(text, ".//", "./"))
	}
	if n < 4 {
		t.Errorf("got %d workflows", n)
	}
	write(t, filepath.Join(dir, ".github", "actionlint.yaml"), read(t, filepath.Join(top(t), ".github", "actionlint.yaml")))
	cmd := exec.CommandContext(t.Context(), "go", "run", "-C", top(t), "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12", "-config-file",
		filepath.Join(dir, ".github", "actionlint.yaml"))
	for i := range n {
		cmd.Args = append(cmd.Args, filepath.Join(dir, ".github", "workflows", fmt.Sprintf("guide-%d.yml", i+1)))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestGuideManifest: the manifests of the guide are right.
func TestGuideManifest(t *testing.T) {
	manifests := 0
	for _, text := range blocks(guide(t), "yaml") {
		if !strings.HasPrefix(text, "version: 1\n") {
			continue
		}
		manifests++
		path := filepath.Join(t.TempDir(), "btfbatch.yaml")
		write(t, path, text)
		if m, err := config.Load(path); err != nil || len(m.Images) == 0 {
			t.Errorf("%v: %+v", err, m)
		}
	}
	if manifests == 0 {
		t.Error("there is no manifest")
	}
}
