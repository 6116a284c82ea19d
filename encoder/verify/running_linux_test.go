package verify

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// runningKernel passes a blob to the kernel that runs this test, and returns its verdict and the last line of its log.
type runningKernel struct {
	like Kernel
	log  []byte
}

const (
	bpfBTFLoad = 18
	attrSize   = 28
)

// openRunningKernel skips the test if loading BTF is not allowed or no generation is close to the running kernel.
func openRunningKernel(t testing.TB) *runningKernel {
	t.Helper()
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		t.Skipf("uname: %v", err)
	}
	release := unix.ByteSliceToString(uts.Release[:])
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		t.Skipf("kernel release %q has no version", release)
	}
	name := fmt.Sprintf("%d.%d", major, minor)
	k, err := ParseKernel(name)
	if err != nil || k.String() != name {
		t.Skipf("the running kernel is %s, which is no generation of the table", release)
	}
	rk := &runningKernel{like: k, log: make([]byte, 16<<20)}
	b := newBlob()
	b.integer("int", 4)
	if symbol, _ := rk.load(b.bytes()); symbol != "ok" {
		t.Skipf("BPF_BTF_LOAD is not allowed here: %s; nothing of this test was compared", symbol)
	}
	return rk
}

func (rk *runningKernel) load(blob []byte) (symbol, line string) {
	var attr struct {
		btf, log       uint64
		size, logSize  uint32
		logLevel, pad_ uint32
	}
	clear(rk.log[:1])
	if len(blob) > 0 {
		attr.btf = uint64(uintptr(unsafe.Pointer(&blob[0])))
	}
	attr.log = uint64(uintptr(unsafe.Pointer(&rk.log[0])))
	attr.size, attr.logSize, attr.logLevel = uint32(len(blob)), uint32(len(rk.log)), 1
	fd, _, errno := unix.Syscall(unix.SYS_BPF, bpfBTFLoad, uintptr(unsafe.Pointer(&attr)), attrSize)
	runtime.KeepAlive(blob)
	switch {
	case errno == 0:
		unix.Close(int(fd))
		return "ok", ""
	case errno == unix.EPERM || errno == unix.ENOSYS:
		return errno.Error(), ""
	}
	log := unix.ByteSliceToString(rk.log)
	log = strings.TrimSuffix(log, "\n")
	line = log[strings.LastIndexByte(log, '\n')+1:]
	return Errno(errno).String(), strings.TrimLeft(line, "\t ")
}

// compare fails if the verifier and the kernel disagree in verdict or last line.
func (rk *runningKernel) compare(t testing.TB, blob []byte) {
	t.Helper()
	got, gotLine := verdict(t, Check(blob, Options{Kernel: rk.like, Path: Load}))
	want, wantLine := rk.load(blob)
	if got != want || strings.TrimLeft(gotLine, "\t ") != wantLine {
		t.Errorf("%s %q, the running kernel says %s %q", got, gotLine, want, wantLine)
	}
}

// TestRunningKernelVectors compares with the running kernel, if that is one of the table and accepts BTF.
func TestRunningKernelVectors(t *testing.T) {
	rk := openRunningKernel(t)
	for _, v := range vectors(t) {
		t.Run(v.id, func(t *testing.T) { rk.compare(t, v.blob) })
	}
	for i, v := range vectors(t) {
		r := rand.New(rand.NewPCG(2, uint64(i)))
		for blob := v.blob; r.IntN(8) != 0 && len(blob) < 4096; {
			blob = mutate(r, blob)
			t.Run(v.id+" damaged", func(t *testing.T) { rk.compare(t, blob) })
		}
	}
	for _, tc := range ruleCases() {
		if tc.opt.Path == Load && tc.opt.PtrSize == 0 && tc.opt.Order == nil {
			t.Run(tc.name, func(t *testing.T) { rk.compare(t, tc.blob) })
		}
	}
}

// TestRunningKernelGenerated compares on generated blobs.
func TestRunningKernelGenerated(t *testing.T) { openRunningKernel(t).compareAll(t, generate) }

// compareAll compares on many blobs, and logs how many of them the kernel accepted.
func (rk *runningKernel) compareAll(t *testing.T, generate func(*rand.Rand) []byte) {
	n, accepted, wrong := 0, 0, 0
	for i, r := range seeds(t) {
		blob := generate(r)
		n++
		got, gotLine := verdict(t, Check(blob, Options{Kernel: rk.like, Path: Load}))
		want, wantLine := rk.load(blob)
		if want == "ok" {
			accepted++
		}
		if got != want || strings.TrimLeft(gotLine, "\t ") != wantLine {
			t.Errorf("blob %d: %s %q, the running kernel says %s %q", i, got, gotLine, want, wantLine)
			if wrong++; wrong == 20 {
				t.Fatalf("20 of %d blobs differ", n)
			}
		}
	}
	t.Logf("%d blobs were compared with kernel %s, which accepts %d of them", n, rk.like, accepted)
	if accepted < n/40 || accepted > n*39/40 {
		t.Errorf("the kernel accepts %d of %d blobs, which tests too little of one side", accepted, n)
	}
}

// seeds are the random sources for generated blobs. VERIFY_BLOBS=COUNT,SEED selects others.
func seeds(t *testing.T) iter.Seq2[uint64, *rand.Rand] {
	n, seed := uint64(3000), uint64(0)
	if s := os.Getenv("VERIFY_BLOBS"); s != "" {
		if _, err := fmt.Sscanf(s, "%d,%d", &n, &seed); err != nil {
			t.Fatal("VERIFY_BLOBS is not COUNT,SEED")
		}
	}
	return func(yield func(uint64, *rand.Rand) bool) {
		for i := range n {
			if !yield(i, rand.New(rand.NewPCG(seed, i))) {
				return
			}
		}
	}
}

// TestRunningKernelFields compares the parse of special fields with the running kernel.
func TestRunningKernelFields(t *testing.T) {
	rk := openRunningKernel(t)
	if !rk.like.generation().fields {
		t.Skip("the running kernel does not check fields at load")
	}
	for _, tc := range fieldCases() {
		t.Run(tc.name, func(t *testing.T) { rk.compare(t, tc.blob) })
	}
	rk.compareAll(t, generateFields)
}
