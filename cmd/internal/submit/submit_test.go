package submit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sebdah/goldie/v2"
	"gopkg.in/yaml.v3"
)

// sample is a job with every setting.
func sample() *Job {
	return &Job{Program: "/opt/btf batch/btfbatch", Manifest: "kernels/all.yaml", Dir: "/shared/hub", Folder: "kernels/all.yaml.shards", Shards: 40,
		Flags: []string{"--profile=pahole", "--earlier=it's old"}, Again: "btfbatch submit kernels/all.yaml --missing --engine=slurm --shards=40",
		CPUs: 2, Memory: 4 << 30, Time: 90*time.Minute + time.Second, Parallel: 12, Retries: 3, Pause: time.Minute, Image: "registry.example.org/btfbatch:v1", Claim: "hub",
		User: 1000, EnvSecret: "bucket", RegistrySecret: "ghcr", Sums: "out/SHA256SUMS", Provenance: "out/provenance.json"}
}

// TestRendered: what is printed for each engine.
func TestRendered(t *testing.T) {
	g := goldie.New(t)
	packed := sample()
	packed.Shards, packed.Options = 2500, []string{"--partition=long", "--account=hub"}
	twice := sample()
	twice.Retries = 2
	blankless := sample()
	blankless.Flags = []string{"--profile=pahole", "--strict-lint"}
	plain := &Job{Program: "/usr/bin/btfbatch", Manifest: "m.yaml", Dir: "/d", Folder: "m.yaml.shards", Shards: 3, Again: "x", CPUs: 1, Retries: 2, Image: "btfbatch:v1", Claim: "btfbatch", User: DefaultUser}
	runner := *plain // gitlab and github: as many workers as there are processors
	runner.CPUs = 0
	for name, render := range map[string]func() (string, error){
		"slurm":            func() (string, error) { return sample().Rendered(), sample().Check() },
		"slurm-packed":     func() (string, error) { return packed.Rendered(), packed.Check() },
		"slurm-plain":      func() (string, error) { return plain.Rendered(), plain.Check() },
		"kubernetes":       sample().Kubernetes,
		"kubernetes-plain": plain.Kubernetes,
		"gitlab":           twice.GitLab,
		"gitlab-plain":     runner.GitLab,
		"github":           blankless.GitHub,
		"github-plain":     runner.GitHub,
	} {
		text, err := render()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		g.Assert(t, name, []byte(text))
		if strings.HasPrefix(name, "git") {
			var v map[string]any
			if err := yaml.Unmarshal([]byte(text), &v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestRefused: what an engine cannot do is an error, and not a job that fails there.
func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Job)
		render func(*Job) (string, error)
		want   string
	}{
		"no image":                {func(j *Job) { j.Image = "" }, (*Job).Kubernetes, "--image is missing"},
		"no image for GitLab":     {func(j *Job) { j.Image = "" }, (*Job).GitLab, "--image is missing"},
		"manifest elsewhere":      {func(j *Job) { j.Manifest = "../m.yaml" }, (*Job).Kubernetes, "must be a relative path"},
		"absolute folder":         {func(j *Job) { j.Folder = "/tmp/x" }, (*Job).GitHub, "must be a relative path"},
		"too many for GitLab":     {func(j *Job) { j.Shards = 201 }, (*Job).GitLab, "at most 200"},
		"three attempts more":     {func(*Job) {}, (*Job).GitLab, "at most twice"},
		"sums elsewhere":          {func(j *Job) { j.Sums = "/SHA256SUMS" }, (*Job).GitHub, "must be a relative path"},
		"provenance elsewhere":    {func(j *Job) { j.Provenance = "../p.json" }, (*Job).Kubernetes, "must be a relative path"},
		"a pattern of GitHub":     {func(j *Job) { j.Sums, j.Flags = "out/*", nil }, (*Job).GitHub, "for a pattern"},
		"no claim":                {func(j *Job) { j.Claim = "" }, (*Job).Kubernetes, `--claim: ""`},
		"a claim that cannot be":  {func(j *Job) { j.Claim = "Hub_1" }, (*Job).Kubernetes, `--claim: "Hub_1"`},
		"a secret that cannot be": {func(j *Job) { j.EnvSecret = "a/b" }, (*Job).Kubernetes, `--env-secret: "a/b"`},
		"another one":             {func(j *Job) { j.RegistrySecret = "-" }, (*Job).Kubernetes, `--registry-secret: "-"`},
		"root":                    {func(j *Job) { j.User = 0 }, (*Job).Kubernetes, "other than root"},
		"too many for GitHub":     {func(j *Job) { j.Shards = 257 }, (*Job).GitHub, "at most 256"},
		"blank for GitHub":        {func(*Job) {}, (*Job).GitHub, "no flag with a blank"},
		"an expression of GitHub": {func(j *Job) { j.Manifest, j.Flags = "m${{ github.token }}.yaml", nil }, (*Job).GitHub, "for an expression"},
		"an expression in a flag": {func(j *Job) { j.Flags = []string{"--earlier=${{github.token}}"} }, (*Job).GitHub, "for an expression"},
		"a variable of GitLab":    {func(j *Job) { j.Folder = "a$b" }, (*Job).GitLab, "--folder"},
		"a pattern of GitLab":     {func(j *Job) { j.Folder = "a[b]" }, (*Job).GitLab, "--folder"},
		"no text":                 {func(j *Job) { j.Manifest = "m\xff.yaml" }, (*Job).Kubernetes, `m\xff`},
		"line break":              {func(j *Job) { j.Flags = []string{"--profile=x\n#SBATCH --uid=0"} }, func(j *Job) (string, error) { return "", j.Check() }, "line break"},
		"quotes in the folder":    {func(j *Job) { j.Dir = `/a"b` }, func(j *Job) (string, error) { return "", j.CheckFolder() }, "quotes"},
	} {
		j := sample()
		tt.change(j)
		if _, err := tt.render(j); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// TestOddNames: the command that runs in a job has the names that were given, whatever they mean to YAML, to a shell and to the engine.
func TestOddNames(t *testing.T) {
	for _, name := range []string{"a b.yaml", "it's.yaml", `quote".yaml`, `back\slash.yaml`, "$HOME.yaml", "$(SHARD) $$(SHARD) $$.yaml", "`id`.yaml", "#x: y.yaml",
		"*.yaml", "- a.yaml", "!tag.yaml", "größe.yaml", "null", "0x10", "tab\t.yaml", "bell\a.yaml", "m\u2028evil: yes #.yaml", "\u0085x", "\U000e0041"} {
		j := sample()
		j.Manifest, j.Folder, j.Flags, j.Retries = name, "f", []string{"--earlier=" + name}, 2
		text, err := j.Kubernetes()
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		var job struct {
			Spec struct {
				Template struct {
					Spec struct{ Containers []struct{ Command []string } }
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &job); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		words := job.Spec.Template.Spec.Containers[0].Command
		for i := range words {
			words[i] = strings.NewReplacer("$$", "$", "$(SHARD)", "7").Replace(words[i]) // as Kubernetes does
		}
		want := []string{"btfbatch", "run", name, "--progress=plain", "--jobs=2", "--memory=3584MiB", "--earlier=" + name}
		if got := append(want[:len(want):len(want)], "--shard=7/40", "--report=json=f/reports/shard-7.json"); !reflect.DeepEqual(words, got) {
			t.Errorf("kubernetes: got %q, want %q", words, got)
		}
		if text, err = j.GitLab(); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		var pipeline map[string]struct{ Script []string }
		if err := yaml.Unmarshal([]byte(text), &pipeline); err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		cmd := exec.Command("sh", "-c", `btfbatch() { printf '%s\n' btfbatch "$@"; }; `+pipeline["btfbatch"].Script[0])
		cmd.Env = append(os.Environ(), "CI_NODE_INDEX=7")
		out, err := cmd.Output()
		if got := strings.Join(want, "\n") + "\n--shard=auto\n--report=json=f/reports/shard-7.json\n"; err != nil || string(out) != got {
			t.Errorf("gitlab: got %q, %v, want %q", out, err, got)
		}
	}
}

// TestCollected: the merge of a workflow finds the reports wherever the artifacts were put: a single one in the folder itself, several in a folder
// each. Without any, it is the merge that says what is missing.
func TestCollected(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not there")
	}
	for name, tt := range map[string]struct{ artifacts, found []string }{
		"one":     {[]string{"report.json", "report.md"}, nil},
		"several": {[]string{"btfbatch-report-0/report.json", "btfbatch-report-0/junit.xml", "btfbatch-report-1/report.json"}, []string{"btfbatch-report-0/report.json", "btfbatch-report-1/report.json"}},
		"none":    {},
	} {
		j := sample()
		j.Manifest, j.Folder, j.Flags = "m.yaml", "it's 1", nil
		text, err := j.GitHub()
		if err != nil {
			t.Fatal(err)
		}
		var workflow struct {
			Jobs map[string]struct {
				Steps []struct {
					Run, Shell, Uses string
					With             map[string]string
				}
			}
		}
		if err := yaml.Unmarshal([]byte(text), &workflow); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		script, place, kept := "", "", ""
		for _, s := range workflow.Jobs["merge"].Steps {
			switch {
			case s.Run != "":
				script = s.Run
			case strings.HasPrefix(s.Uses, "actions/download-artifact@"):
				place = s.With["path"]
			case strings.HasPrefix(s.Uses, "actions/upload-artifact@"):
				kept = s.With["path"]
			}
		}
		for _, a := range tt.artifacts {
			path := filepath.Join(dir, place, a)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", `btfbatch() { printf '%s\n' "$@"; }; `+script)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		want := []string{"report", "merge", "--manifest=m.yaml", place}
		for _, f := range tt.found {
			want = append(want, place+"/"+f)
		}
		want = append(want, "--report=text", "--report=json=it's 1/report.json", "--sums=out/SHA256SUMS", "--provenance=out/provenance.json")
		if got := strings.Split(strings.TrimSpace(string(out)), "\n"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
		if st, err := os.Stat(filepath.Join(dir, place)); err != nil || !st.IsDir() {
			t.Errorf("%s: there is no folder of reports: %v", name, err)
		}
		if kept != "it's 1/report.json\nout/SHA256SUMS\nout/provenance.json\n" {
			t.Errorf("%s: kept are %q", name, kept)
		}
	}
}

// TestPack: every shard is in one array, and no index is too large, also if only some shards run.
func TestPack(t *testing.T) {
	for _, tt := range []struct {
		shards []int
		most   int
		want   string
	}{
		{[]int{0, 1, 2, 3}, 1000, "0:0-3%2"},
		{[]int{0, 1, 2, 3, 4}, 2, "0:0-1%2 2:0-1%2 4:0%2"},
		{[]int{3, 5, 6, 7, 1999, 2000}, 1000, "0:3,5-7%2 1000:999%2 2000:0%2"},
		{[]int{7}, 1, "7:0%2"},
		{nil, 10, ""},
	} {
		var got []string
		for _, b := range pack(tt.shards, tt.most) {
			got = append(got, fmt.Sprintf("%d:%s", b.first, b.array(2)))
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%v by %d: got %s, want %s", tt.shards, tt.most, text, tt.want)
		}
	}
}

// TestUpdate: what becomes of a task by what Slurm says and by its report.
func TestUpdate(t *testing.T) {
	dir := t.TempDir()
	j := &Job{Dir: dir, Folder: "f", Shards: 4}
	if err := os.MkdirAll(filepath.Join(dir, j.Reports()), 0o700); err != nil {
		t.Fatal(err)
	}
	head := `{"schema": 2, "tool": {"name": "btfbatch", "version": "v1"}, "shard": {"index": %d, "count": 4, "images": 4, "sha256": "` + strings.Repeat("a1", 32) + `"}, ` +
		`"status": "%s", "exit_code": %d, "verdict": "%s", "seconds": 1, "totals": {"images": 0, "ok": 0, "differs": 0, "failed": 0, "skipped": 0, "types": 0, "bytes": 0, "vars": 0, "funcs": 0, "dropped": 0}, "images": []}`
	good := fmt.Sprintf(head, 0, "ok", 0, "no images in shard 0 of 4")
	other := fmt.Sprintf(head, 1, "ok", 0, "no images in shard 1 of 4")
	busy := strings.NewReplacer(`"images": 0, "ok": 0, "differs": 0, "failed": 0,`, `"images": 1, "ok": 0, "differs": 0, "failed": 1,`,
		`"images": []`, `"images": [{"name": "a", "status": "failed", "failure": "fetch", "error": "503", "transient": true, "types": 0, "funcs": 0, "vars": 0, "bytes": 0, "seconds": 0}]`).
		Replace(fmt.Sprintf(head, 0, "failed", 75, "0 of 1 images ok, 1 failed"))
	for _, tt := range []struct {
		name, state, status string
		report              string
		want                outcome
		over                bool
	}{
		{"not seen yet", "PENDING", "0", "", waiting, false},
		{"running", "RUNNING", "0", "", running, false},
		{"ending", "COMPLETING", "0", "", running, false},
		{"waits after a lost node", "PENDING", "0", busy, waiting, false},
		{"done", "COMPLETED", "0", good, done, true},
		{"forgotten by Slurm", "", "", good, done, true},
		{"forgotten by Slurm, without a report", "", "", "", failed, true},
		{"asks for another attempt", "FAILED", "19200", busy, again, true},
		{"asks for it, and wrote no report", "FAILED", "19200", "", again, true},
		{"killed", "FAILED", "9", "", failed, true},
		{"out of memory", "OUT_OF_MEMORY", "9", "", failed, true},
		{"lost", "NODE_FAIL", "0", "", again, true},
		{"preempted", "PREEMPTED", "15", "", again, true},
		{"too slow", "TIMEOUT", "19200", busy, again, true},
		{"cancelled", "CANCELLED", "19200", busy, failed, true},
		{"cancelled when it was done", "CANCELLED", "0", good, done, true},
		{"report of another shard", "COMPLETED", "0", other, failed, true},
		{"wrong usage", "FAILED", "512", "", failed, true},
	} {
		path := filepath.Join(dir, j.Report("0"))
		if tt.report == "" {
			_ = os.Remove(path) // there may be none
		} else if err := os.WriteFile(path, []byte(tt.report), 0o600); err != nil {
			t.Fatal(err)
		}
		s := Slurm{Job: j}
		one := &task{array: "1"}
		s.update(0, one, tt.state, tt.status, tt.state != "")
		if one.kind != tt.want || one.over != tt.over {
			_, err := j.reported(0)
			t.Errorf("%s: got %v, over: %v, want %v (%v)", tt.name, one.kind, one.over, tt.want, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, j.Report("2")), []byte(strings.ReplaceAll(strings.ReplaceAll(good, "shard 0", "shard 2"), `"index": 0`, `"index": 2`)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := j.Missing(); !reflect.DeepEqual(got, []int{0, 1, 3}) {
		t.Errorf("missing: got %v", got)
	}
}
