package submit

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/btfbatch/btfbatch/golden/escape"
)

// mount is where the volume with the manifest is in a container.
const mount = "/work"

// inContainer returns the job as it runs in a container: the volume is its working folder, and the program is on the path.
func (j *Job) inContainer() (*Job, error) {
	if err := j.checkYAML(); err != nil {
		return nil, err
	}
	in := *j
	in.Program, in.Dir, in.Again = "btfbatch", mount, "" // a shard runs again by itself
	for what, name := range map[string]*string{"manifest": &in.Manifest, "folder": &in.Folder} {
		if !filepath.IsLocal(*name) {
			return nil, fmt.Errorf("the %s %s must be a relative path, below the volume that is mounted at %s", what, *name, mount)
		}
		*name = filepath.ToSlash(*name)
	}
	return &in, nil
}

// checkYAML refuses bytes that are not UTF-8, for which YAML has no form.
func (j *Job) checkYAML() error {
	for _, text := range append([]string{j.Manifest, j.Folder, j.Image, j.Claim}, j.Flags...) {
		if !utf8.ValidString(text) {
			return fmt.Errorf("%q is not UTF-8, so a job in YAML cannot have it", text)
		}
	}
	return nil
}

// Kubernetes renders an Indexed Job, and a suspended Job that merges the reports. The exit code decides what happens to a shard: after 75 it
// runs again, at most --retries times; a verdict fails its index and no other; a node that is drained or lost does not count.
func (j *Job) Kubernetes() (string, error) {
	if j.Image == "" {
		return "", fmt.Errorf("--image is missing: Kubernetes needs a container with btfbatch")
	}
	in, err := j.inContainer()
	if err != nil {
		return "", err
	}
	name := label(in.Manifest)
	parallel := in.Shards
	if in.Parallel > 0 {
		parallel = min(in.Parallel, in.Shards)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Runs %s as %d shards. When the first Job is complete or has failed, start the second one, which merges the reports:
#   kubectl patch job %s-merge --type=merge --patch='{"spec":{"suspend":false}}'
`, escape.Line(in.Manifest), in.Shards, name)
	b.WriteString(in.head(name))
	fmt.Fprintf(&b, `  completionMode: Indexed
  completions: %d
  parallelism: %d
  backoffLimitPerIndex: %d
`, in.Shards, parallel, in.Retries)
	b.WriteString(`  podFailurePolicy:
    rules:
    - action: Ignore # the node is drained or lost
      onPodConditions:
      - type: DisruptionTarget
        status: "True"
    - action: Count # the shard asks for another attempt
      onExitCodes:
        containerName: btfbatch
        operator: In
        values: [75]
    - action: FailIndex # an image failed, usage, a golden differs: another attempt ends as this one
      onExitCodes:
        containerName: btfbatch
        operator: In
        values: [1, 2, 3]
`)
	args := append(in.run(), fmt.Sprintf("--shard=%s/%d", shardHere, in.Shards), "--report=json="+path.Join(in.Folder, "reports", "shard-"+shardHere+".json"))
	b.WriteString(in.pod(args, true))
	b.WriteString("---\n" + in.head(name+"-merge") + "  suspend: true\n  backoffLimit: 2\n")
	b.WriteString(in.pod(in.merge(), false))
	return b.String(), nil
}

// shardHere stands for the number of the shard in the arguments of a container. No path has a NUL.
const shardHere = "\x00"

// arguments writes $ so that Kubernetes, which replaces $(NAME) by a variable and $$ by $, leaves it alone.
var arguments = strings.NewReplacer("$", "$$", shardHere, "$(SHARD)")

// head is the beginning of a Job.
func (j *Job) head(name string) string {
	return fmt.Sprintf(`apiVersion: batch/v1
kind: Job
metadata:
  name: %s
  labels:
    app.kubernetes.io/name: btfbatch
spec:
`, name)
}

// pod is the template of a Job.
func (j *Job) pod(args []string, indexed bool) string {
	var b strings.Builder
	b.WriteString(`  template:
    metadata:
      labels:
        app.kubernetes.io/name: btfbatch
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 15 # btfbatch leaves in 5
`)
	if indexed && j.Time > 0 {
		fmt.Fprintf(&b, "      activeDeadlineSeconds: %d # of an attempt\n", int64(j.Time.Seconds()))
	}
	b.WriteString("      containers:\n      - name: btfbatch\n")
	fmt.Fprintf(&b, "        image: %s\n        workingDir: %s\n        command:\n", yamlText(j.Image), mount)
	for _, word := range args {
		fmt.Fprintf(&b, "        - %s\n", yamlText(arguments.Replace(word)))
	}
	b.WriteString("        env:\n")
	if indexed {
		b.WriteString(`        - name: SHARD
          valueFrom:
            fieldRef:
              fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
`)
	}
	fmt.Fprintf(&b, "        - name: BTFBATCH_CACHE\n          value: %s\n", mount+"/.btfbatch-cache")
	fmt.Fprintf(&b, "        - name: TMPDIR\n          value: /scratch\n")
	memory := j.Memory
	if memory == 0 {
		memory = 3 << 30 // run plans for 2 GiB
	}
	fmt.Fprintf(&b, `        resources:
          requests:
            cpu: "%d"
            memory: %dMi
          limits:
            memory: %dMi
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            drop: [ALL]
        volumeMounts:
        - name: work
          mountPath: %s
        - name: scratch
          mountPath: /scratch
      volumes:
      - name: work
        persistentVolumeClaim:
          claimName: %s
      - name: scratch
        emptyDir: {}
`, j.CPUs, memory>>20, memory>>20, mount, yamlText(j.Claim))
	return b.String()
}

// maxLabel is the length of a label of Kubernetes. Indexes and a suffix for the pod are added to the name of a Job.
const maxLabel = 63 - len("-99999-xxxxx") - len("-merge")

// label makes the name of an object of a path: lower case letters, digits and dashes.
func label(manifest string) string {
	base := strings.ToLower(strings.TrimSuffix(path.Base(manifest), path.Ext(manifest)))
	text := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, base)
	if text = strings.Trim(text, "-"); text != "btfbatch" {
		text = "btfbatch-" + text
	}
	return strings.Trim(text[:min(len(text), maxLabel)], "-")
}

// yamlText is a scalar of YAML. JSON's form of a string is one of YAML's.
func yamlText(s string) string {
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./=", r))
	}) && (s[0] >= 'a' && s[0] <= 'z' || s[0] == '/' || strings.HasPrefix(s, "--")) && s != "true" && s != "false" && s != "null" && s != "yes" && s != "no" && s != "on" && s != "off" && s != "y" && s != "n" {
		return s
	}
	return strconv.Quote(s) // escapes beyond ASCII are those of YAML as well
}

// GitLab renders two jobs of a pipeline: a parallel one, and the merge. GitLab repeats a job at most twice.
func (j *Job) GitLab() (string, error) {
	if j.Image == "" {
		return "", fmt.Errorf("--image is missing: a job of GitLab needs a container with btfbatch and a shell")
	}
	if j.Shards > 200 {
		return "", fmt.Errorf("--shards is %d: GitLab runs at most 200 parallel jobs", j.Shards)
	}
	in, err := j.inRepository()
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(in.Folder, "$*?[]{}") {
		return "", fmt.Errorf("GitLab takes the folder %s for a pattern or a variable: give another one with --folder", in.Folder)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Runs %s as %d shards. Include it in .gitlab-ci.yml.
btfbatch:
  image: %s
  parallel: %d
`, escape.Line(in.Manifest), in.Shards, yamlText(in.Image), in.Shards)
	if in.Time > 0 {
		fmt.Fprintf(&b, "  timeout: %d minutes\n", minutes(in.Time))
	}
	if in.Parallel > 0 {
		b.WriteString("  # --max-parallel: set the concurrency of the runners\n")
	}
	fmt.Fprintf(&b, `  retry:
    max: %d
    exit_codes: [75]
    when: [runner_system_failure, stuck_or_timeout_failure]
  script:
  - %s
  artifacts:
    when: always
    paths: [%s]
btfbatch-merge:
  image: %s
  needs: [btfbatch]
  when: always
  script:
  - %s
  artifacts:
    when: always
    paths: [%s]
`, min(in.Retries, 2), yamlText(shell(append(in.run(), "--shard=auto"))+` --report=json=`+shell([]string{in.Reports()})+`/shard-"$CI_NODE_INDEX".json`),
		yamlText(in.Reports()+"/"), yamlText(in.Image), yamlText(shell(in.merge())), yamlText(in.Folder+"/"))
	return b.String(), nil
}

// inRepository returns the job as it runs in a checkout.
func (j *Job) inRepository() (*Job, error) {
	if err := j.checkYAML(); err != nil {
		return nil, err
	}
	in := *j
	in.Program, in.Dir, in.Again = "btfbatch", ".", ""
	for what, name := range map[string]*string{"manifest": &in.Manifest, "folder": &in.Folder} {
		if !filepath.IsLocal(*name) {
			return nil, fmt.Errorf("the %s %s must be a relative path, in the repository", what, *name)
		}
		*name = filepath.ToSlash(*name)
	}
	return &in, nil
}

// GitHub renders a workflow with a matrix of shards, and the merge. GitHub does not repeat a job by its exit code.
func (j *Job) GitHub() (string, error) {
	if j.Shards > 256 {
		return "", fmt.Errorf("--shards is %d: a matrix of GitHub has at most 256 jobs", j.Shards)
	}
	in, err := j.inRepository()
	if err != nil {
		return "", err
	}
	for _, text := range append([]string{in.Manifest, in.Folder}, in.Flags...) {
		if strings.Contains(text, "${{") {
			return "", fmt.Errorf("GitHub takes ${{ in %s for an expression", text)
		}
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
	flags := strings.Join(in.Flags, " ")
	if strings.Count(flags, " ") >= max(len(in.Flags), 1) {
		return "", fmt.Errorf("%s: the action takes no flag with a blank", flags)
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
    - run: %s
`, strings.Join(indexes, ", "), yamlText(in.Manifest), in.Shards, strconv.Quote(flags), yamlText(in.Reports()), yamlText(in.collected()))
	return b.String(), nil
}

// collected merges reports that are in a folder for each artifact.
func (j *Job) collected() string {
	return "btfbatch report merge --manifest " + shell([]string{j.Manifest, j.Reports()}) + "/*/report.json --report text --report json=" + shell([]string{j.Merged()})
}
