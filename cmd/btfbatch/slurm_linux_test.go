package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A cluster is a Slurm with four nodes on this machine. It uses only the loopback interface, and ports, a configuration, a key and a socket
// of its own.
type cluster struct {
	dir   string
	nodes []*exec.Cmd // slurmd by number
}

// startSlurm starts a cluster, which ends with the test. It needs root, and Debian's slurmctld, slurmd, slurm-client and munge.
func startSlurm(t *testing.T) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "slurm") //nolint:usetesting // the path of a socket is limited to 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &cluster{dir: dir}
	key := make([]byte, 128)
	_, _ = rand.Read(key) // never fails
	file := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	file("munge.key", string(key))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	p := ports(t, 5)
	file("slurm.conf", strings.NewReplacer("DIR", dir, "HOST", host).Replace(fmt.Sprintf(`ClusterName=btfbatch
SlurmctldHost=HOST(127.0.0.1)
SlurmctldPort=%d
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=DIR/munge.socket
CredType=cred/munge
SlurmUser=root
StateSaveLocation=DIR/state
SlurmdSpoolDir=DIR/spool-%%n
SlurmctldPidFile=DIR/slurmctld.pid
SlurmdPidFile=DIR/slurmd-%%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdTimeout=5
KillWait=5
MaxArraySize=6
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName=n0 NodeHostname=HOST NodeAddr=127.0.0.1 Port=%d CPUs=1
NodeName=n1 NodeHostname=HOST NodeAddr=127.0.0.1 Port=%d CPUs=1
NodeName=n2 NodeHostname=HOST NodeAddr=127.0.0.1 Port=%d CPUs=1
NodeName=n3 NodeHostname=HOST NodeAddr=127.0.0.1 Port=%d CPUs=1
PartitionName=p Nodes=ALL Default=YES State=UP
`, p[0], p[1], p[2], p[3], p[4])))
	t.Setenv("SLURM_CONF", filepath.Join(dir, "slurm.conf"))
	c.start(t, "munged", "--foreground", "--force", "--key-file="+dir+"/munge.key", "--socket="+dir+"/munge.socket", "--pid-file="+dir+"/munged.pid",
		"--log-file="+dir+"/munged.log", "--seed-file="+dir+"/munged.seed")
	eventually(t, 10*time.Second, "munged answers", func() bool { return exists(dir + "/munge.socket") })
	c.start(t, "slurmctld", "-D")
	for i := range 4 {
		c.nodes = append(c.nodes, c.start(t, "slurmd", "-D", "-N", fmt.Sprintf("n%d", i)))
	}
	eventually(t, 30*time.Second, "four nodes are idle", func() bool {
		out, _ := exec.Command("sinfo", "--noheader", "--Node", "--format=%T").Output() // it fails until slurmctld answers
		return strings.Count(string(out), "idle\n") == 4
	})
	return c
}

// start starts a daemon, which ends with the test.
func (c *cluster) start(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	log, err := os.CreateTemp(c.dir, name+"-*.out")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // by a signal
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have been killed by the test
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		log.Close()
	})
	return cmd
}

func ports(t *testing.T, n int) (list []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		list = append(list, l.Addr().(*net.TCPAddr).Port)
	}
	return list
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func eventually(t *testing.T, within time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// runs returns the process that runs a shard, and its ancestors, the nearest first: the daemon of the step is the second. It returns nil if
// no process runs the shard.
func runs(t *testing.T, program string, shard int) (pids []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")) // it may have ended
		words := strings.Split(string(line), "\x00")
		if words[0] != program || !strings.Contains(string(line), fmt.Sprintf("\x00--shard=%d/8\x00", shard)) {
			continue
		}
		for pid > 1 {
			pids = append(pids, pid)
			stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
			if len(f) < 2 {
				break
			}
			pid, _ = strconv.Atoi(f[1])
		}
		return pids
	}
	return nil
}

// essence is what two reports of the same batch have in common, one line for each image: everything but times and details of how an image
// was made, which are not there if it comes from the cache.
func essence(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Images                 []map[string]any
		Status, Verdict        string
		Totals, Tool, Manifest map[string]any
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintln(&b, r.Status, r.Verdict, r.Totals, r.Tool, r.Manifest)
	for _, row := range r.Images {
		for _, key := range []string{"seconds", "from_cache", "details"} {
			delete(row, key)
		}
		fmt.Fprintln(&b, row) // maps are printed in the order of their keys
	}
	return b.String()
}

// batchOf40 writes a manifest of 40 images, one of which comes from a server, with goldens.
func batchOf40(t *testing.T, server string) {
	t.Helper()
	images, err := filepath.Glob(filepath.Join(sourceDir, "..", "..", "corpus", "images", "*-dwarf5-based.elf"))
	if err != nil || len(images) < 12 {
		t.Fatalf("%d images: %v", len(images), err)
	}
	var b strings.Builder
	b.WriteString("version: 1\ndefaults: {kind: any, outputs: {btf: \"out/${{ image.name }}.btf\", archive: \"out/${{ image.name }}.btf.tar.xz\"}, evidence: true, golden: \"golden/${{ image.name }}.raw\"}\nimages:\n")
	for i := range 40 {
		from := fmt.Sprintf("path: %q", images[i%12])
		if i == 0 {
			from = fmt.Sprintf("from: {url: %q}", server+"/vmlinux")
		}
		fmt.Fprintf(&b, "- {name: k%02d, %s}\n", i, from)
	}
	write(t, "m.yaml", b.String())
}

// TestSlurm runs a batch of 40 images on a real Slurm: as 8 shards, of which one is told to leave, one loses its node, and one asks for
// another attempt twice; then with a lost report, and with a task that is killed. In the end everything is as one run makes it. Slurm waits
// for two minutes before it repeats the task of the lost node.
func TestSlurm(t *testing.T) {
	if os.Getenv("BTFBATCH_SLURM") == "" {
		t.Skip("needs Slurm and root: set BTFBATCH_SLURM=1")
	}
	var err error
	if sourceDir, err = os.Getwd(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "bin", "btfbatch")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c := startSlurm(t)
	t.Chdir(dir)
	t.Setenv("CI", "")
	t.Setenv("BTFBATCH_CACHE", filepath.Join(dir, "cache"))
	var refused atomic.Int32
	refused.Store(2)
	data, err := os.ReadFile(filepath.Join(sourceDir, "..", "..", "corpus", "images", "gcc12-s390x-dwarf5-based.elf"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refused.Add(-1) < 0 {
			_, _ = w.Write(data)
			return
		}
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	batchOf40(t, server.URL)
	refused.Store(0)
	call := func(want int, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Fatalf("%q: got exit code %d, want %d (%v)\n%s", args, got, want, err, out)
		}
		return string(out)
	}
	shell := func(script string) string {
		t.Helper()
		out, err := exec.Command("sh", "-c", script).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	call(0, "run", "m.yaml", "--no-cache", "--update", "--report", "json=update.json")
	call(0, "run", "m.yaml", "--no-cache", "--report", "json=alone.json")
	shell("mv out alone; rm -r cache")
	same := func() {
		t.Helper()
		shell("diff -r alone out")
		got, want := strings.Split(essence(t, "m.yaml.shards/report.json"), "\n"), strings.Split(essence(t, "alone.json"), "\n")
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("line %d: the merged report has\n%s\nwant\n%s", i, got[min(i, len(got)-1)], want[min(i, len(want)-1)])
			}
		}
	}

	// Two shards are made to wait: for a golden that nobody writes.
	shardOf := map[string]int{}
	for i := range 8 {
		call(0, "run", "m.yaml", "--no-cache", "--shard", fmt.Sprintf("%d/8", i), "--report", fmt.Sprintf("json=plan-%d.json", i))
		for _, m := range regexp.MustCompile(`"name": "(k\d\d)"`).FindAllStringSubmatch(shell(fmt.Sprintf("cat plan-%d.json", i)), -1) {
			shardOf[m[1]] = i
		}
	}
	shell("rm -r out; rm -rf cache plan-*.json")
	busy := shardOf["k00"]
	var told, lost string
	for i := 1; i < 40 && lost == ""; i++ {
		name := fmt.Sprintf("k%02d", i)
		switch s := shardOf[name]; {
		case s == busy:
		case told == "":
			told = name
		case s != shardOf[told]:
			lost = name
		}
	}
	block := func(name string) {
		shell(fmt.Sprintf("mv golden/%s.raw kept-%s; mkfifo golden/%s.raw", name, name, name))
	}
	release := func(name string) { shell(fmt.Sprintf("mv kept-%s golden/%s.raw", name, name)) }
	block(told)
	block(lost)
	refused.Store(2)

	var log bytes.Buffer
	wait := exec.Command(program, "submit", "m.yaml", "--engine=slurm", "--shards=8", "--retries=2", "--pause=1s", "--wait")
	wait.Stdout, wait.Stderr = &log, &log
	if err := wait.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- wait.Wait() }()
	var first, second []int
	eventually(t, 60*time.Second, "both shards run", func() bool {
		first, second = runs(t, program, shardOf[told]), runs(t, program, shardOf[lost])
		return first != nil && second != nil
	})
	time.Sleep(time.Second)
	release(told)
	if err := syscall.Kill(first[0], syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// The node: its daemon, the daemon of the step and the step are killed, as when the machine is switched off.
	node := -1
	for i := range c.nodes {
		if nodeRuns(t, i, second[0]) {
			node = i
		}
	}
	if node < 0 {
		t.Fatal("no node runs the shard")
	}
	for _, pid := range append([]int{c.nodes[node].Process.Pid}, second[1], second[0]) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	release(lost)
	select {
	case err = <-ended:
	case <-time.After(220 * time.Second):
		_ = wait.Process.Kill()
		err = fmt.Errorf("it goes on: %w", <-ended)
	}
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, &log, shell("squeue -a -r -t all; sinfo -N; tail -n 50 m.yaml.shards/logs/*"))
	}
	same()
	if left := refused.Load(); left > -1 {
		t.Errorf("the server was asked fewer than three times: %d", left)
	}
	if n := strings.Count(log.String(), "again in 1s: "); n < 2 {
		t.Errorf("shards ran again %d times, want at least 2\n%s", n, &log)
	}
	if out := shell("scontrol show job"); !strings.Contains(out, "Restarts=1") {
		t.Errorf("Slurm repeated no task\n%s", out)
	}
	t.Logf("%s", &log)

	// A lost report fails the merge, which says what to do.
	shell(fmt.Sprintf("rm m.yaml.shards/reports/shard-%d.json", shardOf[told]))
	out, err := exec.Command("sh", "m.yaml.shards/merge.sh").CombinedOutput()
	m := regexp.MustCompile(`what is missing: btfbatch (submit .*)`).FindStringSubmatch(string(out))
	if err == nil || m == nil || !strings.Contains(m[1], "--missing") || !strings.Contains(m[1], "--wait") {
		t.Fatalf("the merge of 7 reports ended with %v\n%s", err, out)
	}

	// A task that is killed has no result, and is not repeated without being asked for.
	block(told)
	killed := exec.Command(program, strings.Fields(m[1])...)
	log.Reset()
	killed.Stdout, killed.Stderr = &log, &log
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "the shard runs", func() bool { first = runs(t, program, shardOf[told]); return first != nil })
	if err := syscall.Kill(first[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _ = killed.Wait(); killed.ProcessState.ExitCode() != 1 || !strings.Contains(log.String(), fmt.Sprintf("shard %d has no result", shardOf[told])) {
		t.Errorf("got exit code %d\n%s", killed.ProcessState.ExitCode(), &log)
	}
	release(told)
	if out := call(0, strings.Fields(m[1])...); !strings.Contains(out, "1 of 8 shards are submitted") {
		t.Errorf("got\n%s", out)
	}
	same()
}

// nodeRuns reports whether a process is of a step of a node.
func nodeRuns(t *testing.T, node, pid int) bool {
	t.Helper()
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(env), fmt.Sprintf("SLURMD_NODENAME=n%d\x00", node))
}
