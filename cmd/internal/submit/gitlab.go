package submit

import (
	"fmt"
	"strings"

	"github.com/btfbatch/btfbatch/golden/escape"
)

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
	for _, path := range in.made() {
		if strings.ContainsAny(path, "$*?[]{}") {
			return "", fmt.Errorf("GitLab takes %s for a pattern or a variable: give another path with --folder, --sums or --provenance", path)
		}
	}
	if in.Retries > 2 {
		return "", fmt.Errorf("--retries is %d: GitLab repeats a job at most twice", in.Retries)
	}
	kept := []string{yamlText(in.Folder + "/")}
	for _, path := range in.made()[1:] {
		kept = append(kept, yamlText(path))
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
`, in.Retries, yamlText(shell(append(in.run(), "--shard=auto"))+` --report=json=`+shell([]string{in.Reports()})+`/shard-"$CI_NODE_INDEX".json`),
		yamlText(in.Reports()+"/"), yamlText(in.Image), yamlText(shell(in.merge())), strings.Join(kept, ", "))
	return b.String(), nil
}
