//go:build unix

package actions

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpusIn writes manifests and what they need to a folder: good.yaml, differs.yaml and failed.yaml, with three images each, and wrong.yaml.
func corpusIn(t *testing.T, dir string) {
	t.Helper()
	images := filepath.Join(top(t), "corpus", "images")
	for to, from := range map[string]string{
		"images/amd64.elf": "gcc12-x86_64-dwarf5-based.elf", "images/arm64.elf": "gcc12-arm64-dwarf5-based.elf",
		"images/driver.ko": "gcc12-x86_64-dwarf5-driver.ko", "goldens/amd64.raw": "gcc12-x86_64-dwarf5-based.raw.golden",
		"goldens/arm64.raw": "gcc12-arm64-dwarf5-based.raw.golden", "goldens/old.raw": "gcc12-x86_64-dwarf5-based.raw.golden",
	} {
		write(t, filepath.Join(dir, to), read(t, filepath.Join(images, from)))
	}
	const head = "version: 1\ndefaults: {profile: pahole, kind: any, lang_exclude: [rust], outputs: {btf: \"out/${{ image.name }}.btf\"}}\nimages:\n" +
		"  - {name: amd64, path: images/amd64.elf, golden: goldens/amd64.raw}\n  - {name: driver, path: images/driver.ko, base: amd64}\n"
	write(t, filepath.Join(dir, "good.yaml"), head+"  - {name: arm64, path: images/arm64.elf, golden: goldens/arm64.raw}\n")
	write(t, filepath.Join(dir, "differs.yaml"), head+"  - {name: arm64, path: images/arm64.elf, golden: goldens/old.raw}\n")
	write(t, filepath.Join(dir, "failed.yaml"), head+"  - {name: arm64, path: images/nowhere.elf}\n")
	write(t, filepath.Join(dir, "wrong.yaml"), head+"  - {name: arm64, path: images/arm64.elf, colour: red}\n")
}

// defaults are the inputs of the action.
var defaults = map[string]string{
	"COMMAND": "run", "MANIFEST": "good.yaml", "IMAGES": "", "IMAGES_FROM": "", "PART": "", "SHARD": "", "JOBS": "", "MEMORY": "", "ARGS": "",
	"WORKING_DIRECTORY": ".", "GOLDENS": "check", "MAX": "256", "PER_PART": "30s", "REPORTS": "", "ANNOTATIONS": "10", "SUMMARY": "true",
}

func TestRunScript(t *testing.T) {
	bin, dir := built(t), t.TempDir()
	corpusIn(t, dir)
	write(t, filepath.Join(dir, "list"), "arm64\n")
	write(t, filepath.Join(dir, "sub", "empty"), "")
	for _, tt := range []struct {
		name string
		env  map[string]string
		want map[string]string // outputs
		log  string
	}{
		{"good", nil, map[string]string{"verdict": "ok", "exit-code": "0", "code": "0", "differs": "[]", "failed": "[]"}, "3 of 3 images ok"},
		{"differs", map[string]string{"MANIFEST": "differs.yaml"},
			map[string]string{"verdict": "differs", "exit-code": "3", "code": "3", "differs": `["arm64"]`, "failed": "[]", "proposed": ""}, "::error file="},
		{"new goldens", map[string]string{"MANIFEST": "differs.yaml", "GOLDENS": "new"}, map[string]string{"code": "3", "proposed": "true"}, ""},
		{"no new golden", map[string]string{"GOLDENS": "new"}, map[string]string{"code": "0", "proposed": ""}, ""},
		{"goldens off", map[string]string{"MANIFEST": "differs.yaml", "GOLDENS": "off"},
			map[string]string{"verdict": "differs", "exit-code": "3", "code": "0"}, "do not fail this step"},
		{"failed", map[string]string{"MANIFEST": "failed.yaml", "GOLDENS": "off"},
			map[string]string{"verdict": "failed", "exit-code": "1", "code": "1", "failed": `["arm64"]`}, ""},
		{"annotations off", map[string]string{"MANIFEST": "failed.yaml", "ANNOTATIONS": "0"}, map[string]string{"code": "1"}, "-::error"},
		{"wrong manifest", map[string]string{"MANIFEST": "wrong.yaml"},
			map[string]string{"verdict": "error", "exit-code": "2", "code": "2", "differs": "[]", "failed": "[]", "report": ""}, `unknown key "colour"`},
		{"no manifest", map[string]string{"MANIFEST": "nowhere.yaml"}, map[string]string{"verdict": "error", "code": "2"}, "::error title=btfbatch::"},
		{"images", map[string]string{"MANIFEST": "failed.yaml", "IMAGES": "amd64,dri*"}, map[string]string{"code": "0"}, "2 of 2 images ok"},
		{"a list", map[string]string{"IMAGES_FROM": "list"}, map[string]string{"code": "0"}, "1 of 1 images ok"},
		{"flags", map[string]string{"ARGS": "--only  arm64\n--jobs=1", "MEMORY": "1GiB"}, map[string]string{"code": "0"}, "1 of 1 images ok"},
		{"a flag that is not split", map[string]string{"ARGS": "--only=$(touch x)"}, map[string]string{"code": "2"}, ""},
		{"first shard", map[string]string{"SHARD": "0/2"}, map[string]string{"code": "0"}, "2 of 2 images ok"},
		{"second shard", map[string]string{"SHARD": "1/2"}, map[string]string{"code": "0"}, "1 of 1 images ok"},
		{"a shard without images", map[string]string{"SHARD": "2/3"}, map[string]string{"code": "0", "verdict": "ok"}, "no images in shard 2 of 3"},
		{"a shard with a zero", map[string]string{"SHARD": "00/08"}, map[string]string{"code": "0"}, "2 of 2 images ok"},
		{"a shard past the last", map[string]string{"SHARD": "2/2"}, map[string]string{"code": "2", "verdict": "error"}, "the last of 2 is 1/2"},
		{"a shard that is no number", map[string]string{"SHARD": "$(x)/2"}, map[string]string{"code": "2", "verdict": "error"}, "use I/N"},
		{"a shard of some images", map[string]string{"SHARD": "0/2", "IMAGES": "amd64"}, nil, "cannot be combined"},
		{"no folder", map[string]string{"WORKING_DIRECTORY": "nowhere"}, nil, "is not a folder"},
		{"an unknown word", map[string]string{"GOLDENS": "maybe"}, nil, "use check, new or off"},
		{"an unknown command", map[string]string{"COMMAND": "encode"}, nil, "use run, plan, merge or install"},
		{"two choices", map[string]string{"IMAGES": "amd64", "IMAGES_FROM": "list"}, nil, "cannot be combined"},
		{"nothing to merge", map[string]string{"COMMAND": "merge", "IMAGES_FROM": "list", "REPORTS": "sub"}, nil, "there is no report.json"},
		{"merge without a plan", map[string]string{"COMMAND": "merge", "REPORTS": "."}, nil, "merge needs images-from"},
		{"plan", map[string]string{"COMMAND": "plan", "PER_PART": "0s", "MAX": "2"},
			map[string]string{"code": "0", "plan": `{"include":[{"part":1,"name":"amd64 and 1 more","images":2},{"part":2,"name":"arm64","images":1}]}`}, ""},
		{"plan of a wrong manifest", map[string]string{"COMMAND": "plan", "MANIFEST": "wrong.yaml"}, map[string]string{"code": "2", "plan": ""}, "cannot be planned"},
	} {
		s := step{dir: dir, path: bin, env: maps.Clone(defaults)}
		maps.Copy(s.env, tt.env)
		got := s.run(t, "run.sh")
		if wrong := tt.want == nil; wrong != (got.code != 0) {
			t.Errorf("%s: got exit code %d\n%s", tt.name, got.code, got.log)
		}
		for name, want := range tt.want {
			if got.outputs[name] != want {
				t.Errorf("%s: got %s %q, want %q\n%s", tt.name, name, got.outputs[name], want, got.log)
			}
		}
		if text, absent := strings.CutPrefix(tt.log, "-"); absent == strings.Contains(got.log, text) {
			t.Errorf("%s: got %q, want %q", tt.name, got.log, tt.log)
		}
		if got.outputs["exit-code"] == "3" && tt.env["GOLDENS"] == "new" {
			if _, err := os.Stat(filepath.Join(got.outputs["folder"], "goldens", "goldens", "old.raw")); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		for _, name := range []string{"report.json", "report.md", "report.html", "junit.xml"} {
			if path := filepath.Join(got.outputs["folder"], "report", name); got.outputs["report"] != "" && s.env["COMMAND"] == "run" && read(t, path) == "" {
				t.Errorf("%s: there is no %s", tt.name, name)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("an input was run as a command")
	}
}

// TestFinish: the action ends with the exit code that was kept, and never well if there is none.
func TestFinish(t *testing.T) {
	for code, want := range map[string]int{"0": 0, "3": 3, "130": 130, "": 1} {
		s := step{env: map[string]string{"CODE": code}}
		if got := s.run(t, "finish.sh"); got.code != want {
			t.Errorf("code %q: got %d, want %d", code, got.code, want)
		}
	}
}

// TestPlanTwice: a plan without its matrix is an error. The plan is written twice, and the second time may fail.
func TestPlanTwice(t *testing.T) {
	bin := t.TempDir()
	write(t, filepath.Join(bin, "btfbatch"), "#!/bin/sh\ncase \"$*\" in *github-matrix*) exit 1 ;; esac\necho '{}'\n")
	if err := os.Chmod(filepath.Join(bin, "btfbatch"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := step{path: bin, env: maps.Clone(defaults)}
	s.env["COMMAND"] = "plan"
	if got := s.run(t, "run.sh"); got.outputs["code"] != "1" || got.outputs["verdict"] != "error" || got.outputs["plan"] != "" {
		t.Errorf("got exit code %d, %q and %q", got.code, got.outputs, got.log)
	}
}
