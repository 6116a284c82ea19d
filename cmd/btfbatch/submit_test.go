package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestSubmitFlags: an engine applies each flag of submit, so that what is printed changes, or refuses it by name. No flag is ignored.
func TestSubmitFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("m.yaml", []byte("version: 1\nimages:\n  - {name: a, path: a.elf, kind: any}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{
		"cpus": "3", "mem": "5GiB", "time": "2h", "max-parallel": "2", "retries": "1", "pause": "3m", "option": "--partition=long", "image": "other:v2",
		"claim": "other", "user": "1234", "env-secret": "bucket", "registry-secret": "ghcr", "folder": "there", "with": "--no-cache",
		"sums": "SHA256SUMS", "provenance": "p.json", "shards": "5",
	}
	// These say what submit does, and not what it prints. Without --dry-run, only slurm takes them.
	others := []string{"engine", "dry-run", "wait", "missing", "help", "log-format", "log-level"}
	refused := map[string]string{ //nolint:gosec // names of engines
		"max-parallel": "gitlab", "retries": "github", "pause": "kubernetes gitlab github", "option": "kubernetes gitlab github",
		"image": "slurm github", "claim": "slurm gitlab github", "user": "slurm gitlab github", "env-secret": "slurm gitlab github",
		"registry-secret": "slurm gitlab github",
	}
	for _, engine := range engines {
		call := func(flags ...string) (string, string, int) {
			args := []string{"submit", "m.yaml", "--engine=" + engine, "--dry-run"}
			if !strings.HasPrefix(strings.Join(flags, " "), "--shards=") {
				args = append(args, "--shards=4")
			}
			if (engine == "kubernetes" || engine == "gitlab") && !strings.HasPrefix(strings.Join(flags, " "), "--image=") {
				args = append(args, "--image=btfbatch:v1")
			}
			var out, errs bytes.Buffer
			code := run(append(args, flags...), &out, &errs)
			// The command that submits what is missing repeats all flags, which applies none.
			kept := []string{}
			for line := range strings.Lines(out.String()) {
				before, _, _ := strings.Cut(line, "'--again=")
				kept = append(kept, before)
			}
			return strings.Join(kept, "\n"), errs.String(), code
		}
		plain, errs, code := call()
		if code != 0 {
			t.Fatalf("%s: %s", engine, errs)
		}
		newSubmit(&app{}).Flags().VisitAll(func(f *pflag.Flag) {
			value, ok := values[f.Name]
			if !ok {
				if !strings.Contains(" "+strings.Join(others, " ")+" ", " "+f.Name+" ") {
					t.Errorf("--%s: the table has no value", f.Name)
				}
				return
			}
			text, errs, code := call("--" + f.Name + "=" + value)
			if strings.Contains(" "+refused[f.Name]+" ", " "+engine+" ") {
				if code != 2 || !strings.Contains(errs, "--"+f.Name) {
					t.Errorf("%s: --%s: got exit code %d and %q, want it refused", engine, f.Name, code, errs)
				}
				return
			}
			if code != 0 || text == plain {
				t.Errorf("%s: --%s changes nothing, or fails: exit code %d, %q", engine, f.Name, code, errs)
			}
		})
	}
}
