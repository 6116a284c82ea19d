package submit

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/golden/escape"
)

const (
	mount    = "/work"    // where the volume with the manifest is in a container
	scratch  = "/scratch" // where a container has room for temporary files
	registry = "/registry"
)

// DefaultUser is the user of a container if nobody says which: nonroot in images that have such a user.
const DefaultUser = 65532

const (
	defaultPodMemory = 3 << 30 // of a shard; run plans for 2 GiB
	mergePodMemory   = 1 << 30 // of the merge
	scratchPerCPU    = 4       // GiB for each image that is encoded at once: an unpacked kernel has at most 1 or 2
)

// objectName is compiled when it is needed: that takes longer than all else before the program begins.
var objectName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`) })

// Kubernetes renders an Indexed Job, and a suspended Job that merges the reports. The exit code decides what happens to a shard: after 75 it
// runs again, at most --retries times; a verdict fails its index and no other; a node that is drained or lost does not count.
func (j *Job) Kubernetes() (string, error) {
	if j.Image == "" {
		return "", fmt.Errorf("--image is missing: Kubernetes needs a container with btfbatch")
	}
	for _, f := range []struct{ flag, name string }{{"--claim", j.Claim}, {"--env-secret", j.EnvSecret}, {"--registry-secret", j.RegistrySecret}} {
		if f.name != "" && !objectName().MatchString(f.name) || f.name == "" && f.flag == "--claim" {
			return "", fmt.Errorf("%s: %q is not the name of an object of Kubernetes", f.flag, f.name)
		}
	}
	if j.User < 1 || j.User > 1<<31-1 {
		return "", fmt.Errorf("--user is %d: it must be the number of a user other than root", j.User)
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
	fmt.Fprintf(&b, `# Runs %[1]s as %[2]d shards, with Kubernetes 1.29 or later. When the first Job is complete or has failed, start the second one, which merges
# the reports. In bash:
#   for c in Complete Failed; do kubectl wait --for=condition=$c --timeout=-1s job/%[3]s & done; wait -n; kill $(jobs -p)
#   kubectl patch job %[3]s-merge --type=merge --patch='{"spec":{"suspend":false}}'
`, escape.Line(in.Manifest), in.Shards, name)
	b.WriteString(in.head(name, name, "shard"))
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
    - action: Count # the shard asks for another attempt; so do other codes, such as 137 of a pod that was killed
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
	b.WriteString(in.pod(name, "shard", args))
	b.WriteString("---\n" + in.head(name+"-merge", name, "merge"))
	b.WriteString(`  suspend: true
  backoffLimit: 2
  podFailurePolicy:
    rules:
    - action: Ignore
      onPodConditions:
      - type: DisruptionTarget
        status: "True"
    - action: FailJob # the verdict of the batch
      onExitCodes:
        containerName: btfbatch
        operator: In
        values: [1, 2, 3]
`)
	b.WriteString(in.pod(name, "merge", in.merge()))
	return b.String(), nil
}

// shardHere stands for the number of the shard in the arguments of a container. No path has a NUL.
const shardHere = "\x00"

// arguments writes $ so that Kubernetes, which replaces $(NAME) by a variable and $$ by $, leaves it alone.
var arguments = strings.NewReplacer("$", "$$", shardHere, "$(SHARD)")

// labels are those of an object, with the indentation of their lines.
func labels(instance, component, indent string) string {
	return fmt.Sprintf("%[3]slabels:\n%[3]s  app.kubernetes.io/name: btfbatch\n%[3]s  app.kubernetes.io/instance: %[1]s\n%[3]s  app.kubernetes.io/component: %[2]s\n",
		instance, component, indent)
}

// head is the beginning of a Job. It is removed a week after its end: what it made is on the volume.
func (j *Job) head(name, instance, component string) string {
	return fmt.Sprintf("apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: %s\n%sspec:\n  ttlSecondsAfterFinished: 604800\n", name, labels(instance, component, "  "))
}

// pod is the template of a Job. It fulfils the restricted Pod Security Standard, and writes only to its volumes.
func (j *Job) pod(instance, component string, args []string) string {
	var b strings.Builder
	b.WriteString("  template:\n    metadata:\n" + labels(instance, component, "      "))
	b.WriteString(`    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 15 # btfbatch leaves in 5
`)
	cpus, memory := 1, int64(mergePodMemory)
	shard := component == "shard"
	if shard {
		cpus, memory = j.CPUs, defaultPodMemory
		if j.Memory > 0 {
			memory = j.Memory
		}
		if j.Time > 0 {
			fmt.Fprintf(&b, "      activeDeadlineSeconds: %d # of an attempt\n", int64(j.Time.Seconds()))
		}
	}
	fmt.Fprintf(&b, `      securityContext:
        runAsNonRoot: true
        runAsUser: %[1]d
        runAsGroup: %[1]d
        fsGroup: %[1]d
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile:
          type: RuntimeDefault
      containers:
      - name: btfbatch
        image: %[2]s
        workingDir: %[3]s
        command:
`, j.User, yamlText(j.Image), mount)
	for _, word := range args {
		fmt.Fprintf(&b, "        - %s\n", yamlText(arguments.Replace(word)))
	}
	b.WriteString("        env:\n")
	if shard {
		b.WriteString(`        - name: SHARD
          valueFrom:
            fieldRef:
              fieldPath: metadata.annotations['batch.kubernetes.io/job-completion-index']
`)
	}
	fmt.Fprintf(&b, "        - name: HOME\n          value: %[1]s\n        - name: TMPDIR\n          value: %[1]s\n        - name: BTFBATCH_CACHE\n          value: %[2]s/.btfbatch-cache\n",
		scratch, mount)
	if shard && j.RegistrySecret != "" {
		fmt.Fprintf(&b, "        - name: DOCKER_CONFIG\n          value: %s\n", registry)
	}
	if shard && j.EnvSecret != "" {
		fmt.Fprintf(&b, "        envFrom:\n        - secretRef:\n            name: %s\n", yamlText(j.EnvSecret))
	}
	b.WriteString(j.resources(cpus, memory, shard))
	return b.String()
}

// resources are the last part of a template: what the container may use, and its volumes. There is no limit of processors, which would only slow a
// shard down while others are idle; a shard starts no more workers than it requests processors.
func (j *Job) resources(cpus int, memory int64, shard bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `        resources:
          requests:
            cpu: "%[1]d"
            memory: %[2]dMi
            ephemeral-storage: %[3]dGi
          limits:
            memory: %[2]dMi
            ephemeral-storage: %[4]dGi
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
        volumeMounts:
        - name: work
          mountPath: %[5]s
        - name: scratch
          mountPath: %[6]s
`, cpus, memory>>20, scratchPerCPU*cpus, scratchPerCPU*cpus+1, mount, scratch)
	if shard && j.RegistrySecret != "" {
		fmt.Fprintf(&b, "        - name: registry\n          mountPath: %s\n          readOnly: true\n", registry)
	}
	fmt.Fprintf(&b, `      volumes:
      - name: work
        persistentVolumeClaim:
          claimName: %s
      - name: scratch
        emptyDir:
          sizeLimit: %dGi
`, yamlText(j.Claim), scratchPerCPU*cpus)
	if shard && j.RegistrySecret != "" {
		fmt.Fprintf(&b, "      - name: registry\n        secret:\n          secretName: %s\n          items:\n          - key: .dockerconfigjson\n            path: config.json\n",
			yamlText(j.RegistrySecret))
	}
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
