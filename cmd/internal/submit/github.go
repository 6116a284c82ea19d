package submit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// GitHub renders a workflow with a matrix of shards, and the merge. GitHub does not repeat a job by its exit code.
func (j *Job) GitHub() (string, error) {
	if j.Shards > 256 {
		return "", fmt.Errorf("--shards is %d: a matrix of GitHub has at most 256 jobs", j.Shards)
	}
	in, err := j.inRepository()
	if err != nil {
		return "", err
	}
	if err := in.checkGitHub(); err != nil {
		return "", err
	}
	indexes := make([]string, in.Shards)
	for i := range indexes {
		indexes[i] = strconv.Itoa(i)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Runs %s as %d shards. Put it into .github/workflows.
name: btfbatch
on: [workflow_dispatch]
permissions:
  contents: read
jobs:
  shards:
    runs-on: ubuntu-latest
`, escape.Line(in.Manifest), in.Shards)
	if in.Time > 0 {
		fmt.Fprintf(&b, "    timeout-minutes: %d\n", minutes(in.Time))
	}
	b.WriteString("    strategy:\n      fail-fast: false\n")
	if in.Parallel > 0 {
		fmt.Fprintf(&b, "      max-parallel: %d\n", in.Parallel)
	}
	var flags []string
	if in.CPUs > 0 {
		flags = append(flags, fmt.Sprintf("--jobs=%d", in.CPUs))
	}
	if in.Memory > 0 {
		flags = append(flags, in.budget())
	}
	flags = append(flags, in.Flags...)
	for _, f := range flags {
		if strings.ContainsAny(f, " \t") {
			return "", fmt.Errorf("%s: the action takes no flag with a blank", f)
		}
	}
	fmt.Fprintf(&b, `      matrix:
        shard: [%s]
    steps:
    - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
    - uses: btfbatch/btfbatch@v1
      with:
        manifest: %s
        shard: ${{ matrix.shard }}/%d
        args: %s
        report-artifact: btfbatch-report-${{ matrix.shard }}
  merge:
    needs: shards
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    steps:
    - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
    - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1
      with:
        pattern: btfbatch-report-*
        path: %s
    - uses: btfbatch/btfbatch@v1
      with:
        command: install
    - shell: bash
      run: |
%s    - if: always()
      uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1
      with:
        name: btfbatch-report
        path: |
%s        overwrite: true
`, strings.Join(indexes, ", "), yamlText(in.Manifest), in.Shards, strconv.Quote(strings.Join(flags, " ")), yamlText(in.Reports()),
		indented(8, in.collected()), indented(10, in.made()))
	return b.String(), nil
}

// checkGitHub refuses texts that GitHub takes for something else.
func (j *Job) checkGitHub() error {
	for _, text := range append([]string{j.Manifest, j.Folder, j.Sums, j.Provenance}, j.Flags...) {
		if strings.Contains(text, "${{") {
			return fmt.Errorf("GitHub takes ${{ in %s for an expression", text)
		}
	}
	for _, path := range j.made() {
		if strings.ContainsAny(path, "*?[]!#\n\r") || path != strings.TrimSpace(path) {
			return fmt.Errorf("GitHub takes %s for a pattern: give another path with --folder, --sums or --provenance", escape.Line(path))
		}
	}
	return nil
}

// collected merges the reports of artifacts: a single one is in the folder of reports, and several are in a folder each. If there is none, the
// merge says which images have no result.
func (j *Job) collected() []string {
	reports := shell([]string{j.Reports()})
	words := j.merge()
	at := slices.Index(words, j.Reports())
	return []string{"mkdir -p " + reports, "shopt -s nullglob",
		shell(words[:at+1]) + " " + reports + "/*/report.json " + shell(words[at+1:])}
}

// indented writes lines of a text of YAML.
func indented(by int, lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(strings.Repeat(" ", by) + l + "\n")
	}
	return b.String()
}
