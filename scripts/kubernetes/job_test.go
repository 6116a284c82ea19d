package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// A rule is what the server checks of a Job beside its form. It returns what is wrong, or "".
type rule struct {
	name  string
	check func(j *batchv1.Job) string
}

// dns is the form of names and label values.
var dns = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func indexed(j *batchv1.Job) bool {
	return j.Spec.CompletionMode != nil && *j.Spec.CompletionMode == batchv1.IndexedCompletion
}

// rules follow the validation of batch/v1 in the API server, as its documentation describes it.
var rules = []rule{
	{"the kind is a Job of batch/v1", func(j *batchv1.Job) string { return differ(j.APIVersion+" "+j.Kind, "batch/v1 Job") }},
	{"names fit, with an index and a suffix for the pod", func(j *batchv1.Job) string {
		if !dns.MatchString(j.Name) || len(j.Name)+len("-99999-xxxxx") > 63 {
			return j.Name
		}
		return ""
	}},
	{"labels have at most 63 characters", func(j *batchv1.Job) string {
		for _, labels := range []map[string]string{j.Labels, j.Spec.Template.Labels} {
			for _, v := range labels {
				if len(v) > 63 || !dns.MatchString(v) {
					return v
				}
			}
		}
		return ""
	}},
	{"an Indexed Job has completions, and 0 < parallelism <= completions <= 100,000", func(j *batchv1.Job) string {
		if !indexed(j) {
			return ""
		}
		c, p := j.Spec.Completions, j.Spec.Parallelism
		if c == nil || p == nil || *p < 1 || *p > *c || *c > 100_000 {
			return "completions or parallelism"
		}
		return ""
	}},
	{"back-off for each index needs an Indexed Job", func(j *batchv1.Job) string {
		if n := j.Spec.BackoffLimitPerIndex; n != nil && (!indexed(j) || *n < 0) {
			return fmt.Sprint(*n)
		}
		return ""
	}},
	{"a pod failure policy needs restartPolicy Never", func(j *batchv1.Job) string {
		if j.Spec.PodFailurePolicy != nil && j.Spec.Template.Spec.RestartPolicy != corev1.RestartPolicyNever {
			return string(j.Spec.Template.Spec.RestartPolicy)
		}
		return ""
	}},
	{"the restart policy of a Job is Never or OnFailure", func(j *batchv1.Job) string {
		if p := j.Spec.Template.Spec.RestartPolicy; p != corev1.RestartPolicyNever && p != corev1.RestartPolicyOnFailure {
			return string(p)
		}
		return ""
	}},
	{"a rule has exit codes or conditions, at most 20 rules", func(j *batchv1.Job) string {
		list := failureRules(j)
		if len(list) > 20 {
			return fmt.Sprint(len(list))
		}
		for _, r := range list {
			if (r.OnExitCodes == nil) == (len(r.OnPodConditions) == 0) {
				return string(r.Action)
			}
		}
		return ""
	}},
	{"exit codes are in ascending order, not 0, and of a container that exists", func(j *batchv1.Job) string {
		for _, r := range failureRules(j) {
			on := r.OnExitCodes
			if on == nil {
				continue
			}
			if len(on.Values) == 0 || !slices.IsSorted(on.Values) || slices.Contains(on.Values, 0) || len(slices.Compact(slices.Clone(on.Values))) != len(on.Values) {
				return fmt.Sprint(on.Values)
			}
			if on.Operator != batchv1.PodFailurePolicyOnExitCodesOpIn && on.Operator != batchv1.PodFailurePolicyOnExitCodesOpNotIn {
				return string(on.Operator)
			}
			if name := on.ContainerName; name != nil && !slices.ContainsFunc(j.Spec.Template.Spec.Containers, func(c corev1.Container) bool { return c.Name == *name }) {
				return *name
			}
		}
		return ""
	}},
	{"FailIndex needs a back-off for each index", func(j *batchv1.Job) string {
		for _, r := range failureRules(j) {
			if r.Action == batchv1.PodFailurePolicyActionFailIndex && j.Spec.BackoffLimitPerIndex == nil {
				return string(r.Action)
			}
		}
		return ""
	}},
	{"the failure of an index does not end the whole Job", func(j *batchv1.Job) string {
		for _, r := range failureRules(j) {
			if r.Action == batchv1.PodFailurePolicyActionFailJob && j.Spec.BackoffLimitPerIndex != nil {
				return string(r.Action)
			}
		}
		return ""
	}},
	{"a Job is removed some time after its end", func(j *batchv1.Job) string {
		if ttl := j.Spec.TTLSecondsAfterFinished; ttl == nil || *ttl < 86400 {
			return "ttlSecondsAfterFinished"
		}
		return ""
	}},
	{"a pod fulfils the restricted Pod Security Standard", func(j *batchv1.Job) string { return restricted(&j.Spec.Template.Spec) }},
	{"a pod gets no token and no variables of services", func(j *batchv1.Job) string {
		pod := j.Spec.Template.Spec
		if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken || pod.EnableServiceLinks == nil || *pod.EnableServiceLinks {
			return "automountServiceAccountToken or enableServiceLinks"
		}
		return ""
	}},
	{"all places that a container writes to are on volumes", func(j *batchv1.Job) string {
		for _, c := range j.Spec.Template.Spec.Containers {
			if s := c.SecurityContext; s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
				return "readOnlyRootFilesystem"
			}
			on := func(place string) bool {
				return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
					return !m.ReadOnly && (place == m.MountPath || strings.HasPrefix(place, m.MountPath+"/"))
				})
			}
			if !on(c.WorkingDir) {
				return "workingDir " + c.WorkingDir
			}
			for _, name := range []string{"HOME", "TMPDIR", "BTFBATCH_CACHE"} {
				if at := slices.IndexFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name }); at < 0 || !on(c.Env[at].Value) {
					return name
				}
			}
		}
		return ""
	}},
	{"memory and temporary files are limited, and what is requested is all of them", func(j *batchv1.Job) string {
		for _, c := range j.Spec.Template.Spec.Containers {
			for _, name := range []corev1.ResourceName{corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
				if _, ok := c.Resources.Limits[name]; !ok {
					return string(name)
				}
				if request, ok := c.Resources.Requests[name]; !ok || request.IsZero() {
					return string(name)
				}
			}
			if cpu, ok := c.Resources.Requests[corev1.ResourceCPU]; !ok || cpu.IsZero() {
				return "cpu"
			}
		}
		for _, v := range j.Spec.Template.Spec.Volumes {
			if e := v.EmptyDir; e != nil && (e.SizeLimit == nil || e.SizeLimit.IsZero()) {
				return v.Name
			}
		}
		return ""
	}},
	{"conditions have a status", func(j *batchv1.Job) string {
		for _, r := range failureRules(j) {
			for _, c := range r.OnPodConditions {
				if c.Type == "" || c.Status != corev1.ConditionTrue && c.Status != corev1.ConditionFalse && c.Status != corev1.ConditionUnknown {
					return string(c.Type)
				}
			}
		}
		return ""
	}},
	{"volumes that are mounted exist, and all are mounted once", func(j *batchv1.Job) string {
		pod := j.Spec.Template.Spec
		mounted := map[string]bool{}
		for _, c := range pod.Containers {
			paths := map[string]bool{}
			for _, m := range c.VolumeMounts {
				if paths[m.MountPath] || !slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
					return m.Name
				}
				mounted[m.Name], paths[m.MountPath] = true, true
			}
		}
		for _, v := range pod.Volumes {
			if !mounted[v.Name] {
				return v.Name
			}
		}
		return ""
	}},
	{"requests are not above limits", func(j *batchv1.Job) string {
		for _, c := range j.Spec.Template.Spec.Containers {
			for name, limit := range c.Resources.Limits {
				if request, ok := c.Resources.Requests[name]; ok && request.Cmp(limit) > 0 {
					return string(name)
				}
			}
		}
		return ""
	}},
	{"variables in the command are defined before", func(j *batchv1.Job) string {
		for _, c := range j.Spec.Template.Spec.Containers {
			for _, word := range append(slices.Clone(c.Command), c.Args...) {
				for _, m := range regexp.MustCompile(`\$\((\w+)\)`).FindAllStringSubmatch(word, -1) {
					if !slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == m[1] }) {
						return m[1]
					}
				}
			}
		}
		return ""
	}},
	{"a container has a name, an image and a command", func(j *batchv1.Job) string {
		for _, c := range j.Spec.Template.Spec.Containers {
			if !dns.MatchString(c.Name) || c.Image == "" || len(c.Command) == 0 {
				return c.Name + c.Image
			}
		}
		return differ(fmt.Sprint(len(j.Spec.Template.Spec.Containers)), "1")
	}},
}

// restricted returns what of a pod breaks the restricted Pod Security Standard, or "".
func restricted(pod *corev1.PodSpec) string {
	s := pod.SecurityContext
	if s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 {
		return "runAsNonRoot"
	}
	if s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		return "seccompProfile"
	}
	if pod.HostNetwork || pod.HostPID || pod.HostIPC {
		return "a namespace of the host"
	}
	for _, v := range pod.Volumes {
		if v.EmptyDir == nil && v.PersistentVolumeClaim == nil && v.Secret == nil {
			return "volume " + v.Name
		}
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Privileged != nil {
			return "allowPrivilegeEscalation"
		}
		if s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
			return "capabilities"
		}
	}
	return ""
}

func failureRules(j *batchv1.Job) []batchv1.PodFailurePolicyRule {
	if j.Spec.PodFailurePolicy == nil {
		return nil
	}
	return j.Spec.PodFailurePolicy.Rules
}

func differ(got, want string) string {
	if got != want {
		return got
	}
	return ""
}

// jobs decodes the documents of a file. A field that does not exist is an error.
func jobs(text string) (list []*batchv1.Job, err error) {
	for _, doc := range strings.Split(text, "---\n") {
		j := new(batchv1.Job)
		if err := yaml.UnmarshalStrict([]byte(doc), j); err != nil {
			return nil, err
		}
		list = append(list, j)
	}
	return list, nil
}

// wrong returns the names of the rules that a file breaks.
func wrong(text string) (names []string) {
	list, err := jobs(text)
	if err != nil {
		return []string{err.Error()}
	}
	for _, j := range list {
		for _, r := range rules {
			if what := r.check(j); what != "" {
				names = append(names, r.name+": "+what)
			}
		}
	}
	return names
}

func goldens(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../cmd/internal/submit/testdata/kubernetes*.golden")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	texts := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(f)] = string(text)
	}
	return texts
}

// actionsOf returns what happens after an exit code.
func actionsOf(j *batchv1.Job) map[int32]batchv1.PodFailurePolicyAction {
	actions := map[int32]batchv1.PodFailurePolicyAction{}
	for _, r := range failureRules(j) {
		if r.OnExitCodes != nil {
			for _, code := range r.OnExitCodes.Values {
				actions[code] = r.Action
			}
		}
	}
	return actions
}

// TestJobs: the rendered Jobs have only fields that exist, and break no rule of the server.
func TestJobs(t *testing.T) {
	for name, text := range goldens(t) {
		for _, what := range wrong(text) {
			t.Errorf("%s: %s", name, what)
		}
		list, err := jobs(text)
		if err != nil {
			continue
		}
		if len(list) != 2 || !indexed(list[0]) || list[1].Spec.Suspend == nil || !*list[1].Spec.Suspend {
			t.Errorf("%s: it is not an Indexed Job and a suspended one", name)
		}
		actions, merge := actionsOf(list[0]), actionsOf(list[1])
		for _, code := range []int32{1, 2, 3} { // a verdict, which another attempt does not change
			if merge[code] != batchv1.PodFailurePolicyActionFailJob {
				t.Errorf("%s: the merge: exit code %d: got %q", name, code, merge[code])
			}
		}
		for code, want := range map[int32]batchv1.PodFailurePolicyAction{1: batchv1.PodFailurePolicyActionFailIndex, 2: batchv1.PodFailurePolicyActionFailIndex,
			3: batchv1.PodFailurePolicyActionFailIndex, 75: batchv1.PodFailurePolicyActionCount} {
			if actions[code] != want {
				t.Errorf("%s: exit code %d: got %q, want %q", name, code, actions[code], want)
			}
		}
	}
}

// TestRules: each rule, and the strict decoder, finds a mistake.
func TestRules(t *testing.T) {
	good := goldens(t)["kubernetes.golden"]
	broken := map[string]bool{}
	for _, c := range [][2]string{
		{"completions: 40", "completion: 40"}, {"batch/v1", "batch/v2"}, {"name: btfbatch-all\n", "name: Btfbatch_all\n"},
		{"app.kubernetes.io/name: btfbatch", "app.kubernetes.io/name: " + strings.Repeat("b", 64)}, {"parallelism: 12", "parallelism: 41"},
		{"completions: 40", "completions: 100001"}, {"completionMode: Indexed", "completionMode: NonIndexed"}, {"restartPolicy: Never", "restartPolicy: OnFailure"},
		{"restartPolicy: Never", "restartPolicy: Always"}, {"values: [1, 2, 3]", "values: [3, 1]"}, {"values: [75]", "values: [0, 75]"},
		{"containerName: btfbatch", "containerName: btf"}, {"operator: In", "operator: Within"}, {"  backoffLimitPerIndex: 3\n", ""},
		{"status: \"True\"", "status: \"Yes\""}, {"- name: work\n        persistent", "- name: wrk\n        persistent"}, {"memory: 4096Mi", "memory: 9096Mi"},
		{"- name: SHARD", "- name: SHRD"}, {"image: \"registry.example.org/btfbatch:v1\"", "image: \"\""},
		{"action: FailIndex", "action: FailJob"}, {"ttlSecondsAfterFinished: 604800", "ttlSecondsAfterFinished: 60"}, {"runAsUser: 1000", "runAsUser: 0"},
		{"  seccompProfile:\n          type: RuntimeDefault", "  seccompProfile:\n          type: Unconfined"}, {"drop: [ALL]", "drop: [NET_RAW]"},
		{"drop: [ALL]", "drop: [ALL]\n            add: [NET_RAW]"}, {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
		{"enableServiceLinks: false", "enableServiceLinks: true"}, {"readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
		{"value: /scratch", "value: /tmp"}, {"value: /work/.btfbatch-cache", "value: /registry"}, {"workingDir: /work", "workingDir: /"},
		{"sizeLimit: 8Gi", "medium: Memory"}, {"            ephemeral-storage: 9Gi\n", ""}, {"            cpu: \"2\"\n", ""},
		{"          sizeLimit: 8Gi\n", "          sizeLimit: 8Gi\n      - name: host\n        hostPath: {path: /}\n"},
		{"      onPodConditions:\n      - type: DisruptionTarget\n        status: \"True\"\n", ""},
	} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Errorf("%q is not in the Job", c[0])
		}
		found := wrong(bad)
		if len(found) == 0 {
			t.Errorf("%q in the place of %q is accepted", c[1], c[0])
		}
		for _, what := range found {
			name, _, _ := strings.Cut(what, ": ")
			broken[name] = true
		}
	}
	for _, r := range rules {
		if !broken[r.name] {
			t.Errorf("no mistake breaks the rule that %s", r.name)
		}
	}
}
