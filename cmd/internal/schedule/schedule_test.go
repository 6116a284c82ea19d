package schedule

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A model counts what jobs really need: it does not use the charges of the scheduler.
type model struct {
	t       *testing.T
	jobs    []Job
	limits  Limits
	ahead   map[int]bool // by job: it is being prepared (false) or was prepared (true), and has not started
	running map[int]int  // by job: its workers
	started []int        // in the order of their start
	done    []bool
	left    []int // by job: jobs that continue it and are not done
}

func newModel(t *testing.T, jobs []Job, limits Limits) *model {
	t.Helper()
	m := &model{t: t, jobs: jobs, limits: limits, ahead: map[int]bool{}, running: map[int]int{}, done: make([]bool, len(jobs)), left: make([]int, len(jobs))}
	for i := range jobs {
		if c := jobs[i].Continues; c >= 0 {
			m.left[c]++
		}
	}
	return m
}

// memory is what running jobs need and jobs that are done hold.
func (m *model) memory() (n int64) {
	for i, workers := range m.running {
		n += m.jobs[i].Memory + int64(workers-1)*m.jobs[i].More
	}
	for i, done := range m.done {
		if done && m.left[i] > 0 {
			n += m.jobs[i].Held
		}
	}
	for i := range m.ahead {
		n += m.jobs[i].Ahead
	}
	return n
}

// disk is what running jobs need on disks.
func (m *model) disk() (n int64) {
	for i := range m.running {
		n += m.jobs[i].Disk
	}
	for i := range m.ahead {
		n += m.jobs[i].Disk
	}
	return n
}

// start checks everything that must be true when jobs start.
func (m *model) start(starts []Start) {
	m.t.Helper()
	for _, s := range starts {
		j := &m.jobs[s.Job]
		if slices.Contains(m.started, s.Job) {
			m.t.Fatalf("job %d started twice", s.Job)
		}
		if c := j.Continues; c >= 0 && !m.done[c] {
			m.t.Fatalf("job %d started before job %d was done", s.Job, c)
		}
		if f := j.Follows; f >= 0 && !slices.Contains(m.started, f) {
			m.t.Fatalf("job %d started before job %d", s.Job, f)
		}
		if s.Workers < 1 || s.Workers > m.limits.Workers {
			m.t.Fatalf("job %d: %d workers of %d", s.Job, s.Workers, m.limits.Workers)
		}
		if m.jobs[s.Job].Ahead > 0 && !m.ahead[s.Job] {
			m.t.Fatalf("job %d started before it was prepared", s.Job)
		}
		delete(m.ahead, s.Job)
		m.running[s.Job] = s.Workers
		m.started = append(m.started, s.Job)
	}
	if len(m.running) > m.limits.Workers {
		m.t.Fatalf("%d jobs run with %d workers", len(m.running), m.limits.Workers)
	}
	if n := m.disk(); m.limits.Disk > 0 && n > m.limits.Disk && len(m.running)+len(m.ahead) > 1 {
		m.t.Fatalf("%d jobs run, and %d bytes of disks are in use; the budget is %d", len(m.running), n, m.limits.Disk)
	}
	if n := m.memory(); n > m.limits.Memory && len(m.running) > 1 { // what is prepared does not keep a job from running
		m.t.Fatalf("%d jobs run, and %d bytes are in use; the budget is %d", len(m.running), n, m.limits.Memory)
	}
}

// prepare checks everything that must be true when jobs are prepared.
func (m *model) prepare(list []int) {
	m.t.Helper()
	for _, i := range list {
		if _, twice := m.ahead[i]; twice || slices.Contains(m.started, i) {
			m.t.Fatalf("job %d was prepared twice, or after its start", i)
		}
		if c := m.jobs[i].Continues; c >= 0 && !m.done[c] {
			m.t.Fatalf("job %d was prepared before job %d was done", i, c)
		}
		m.ahead[i] = false
		if most := max(1, m.limits.Workers-len(m.running)); len(m.ahead) > most {
			m.t.Fatalf("%d jobs are prepared, with %d of %d workers in use", len(m.ahead), len(m.running), m.limits.Workers)
		}
	}
	if n := m.disk(); len(list) > 0 && m.limits.Disk > 0 && n > m.limits.Disk && len(m.running)+len(m.ahead) > 1 {
		m.t.Fatalf("%d bytes of disks are in use with what is prepared; the budget is %d", n, m.limits.Disk)
	}
	if n := m.memory(); len(list) > 0 && n > m.limits.Memory && len(m.running)+len(m.ahead) > 1 {
		m.t.Fatalf("%d bytes are in use with what is prepared; the budget is %d", n, m.limits.Memory)
	}
}

func (m *model) finish(i int) {
	delete(m.running, i)
	m.done[i] = true
	if c := m.jobs[i].Continues; c >= 0 {
		m.left[c]--
	}
}

// random returns a random graph. With large, some jobs are above the whole budget; with follows, some follow others.
func random(r *rand.Rand, budget int64, large, follows bool) []Job {
	jobs := make([]Job, 1+r.IntN(60))
	for i := range jobs {
		j := Job{Continues: -1, Follows: -1, Work: r.Int64N(100), Memory: 1 + r.Int64N(budget/4), More: r.Int64N(budget / 10)}
		j.Held = r.Int64N(budget / 8)
		if i > 0 && r.IntN(2) == 0 {
			j.Continues = r.IntN(i)
		}
		if follows && i > 0 && r.IntN(4) == 0 {
			j.Follows = r.IntN(i)
		}
		j.Disk = r.Int64N(budget / 3)
		if large && r.IntN(10) == 0 {
			j.Memory = budget + r.Int64N(budget)
		}
		if large && r.IntN(10) == 0 {
			j.Disk = budget + r.Int64N(budget)
		}
		jobs[i] = j
	}
	return jobs
}

// deep is the largest memory that a chain of jobs needs, if one job of it runs.
func deep(jobs []Job) (most int64) {
	for i := range jobs {
		n := jobs[i].Memory
		for c := jobs[i].Continues; c >= 0; c = jobs[c].Continues {
			n += jobs[c].Held
		}
		most = max(most, n)
	}
	return most
}

// TestRandomGraphs: every job runs once, in an order that its graph allows, whatever job ends first. Memory exceeds the budget only while a
// single job runs, and never if every chain of jobs fits. The scheduler's own account ends at zero.
func TestRandomGraphs(t *testing.T) {
	alone := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		const budget = 1000
		large, follows := seed%3 == 1, seed%3 == 2
		jobs := random(r, budget, large, follows)
		limits := Limits{Workers: 1 + r.IntN(8), Memory: budget}
		if r.IntN(2) == 0 {
			limits.Disk = budget
		}
		ahead := r.IntN(2) == 0
		if ahead {
			for i := range jobs {
				if r.IntN(2) == 0 {
					jobs[i].Ahead = 1 + r.Int64N(budget/10)
				}
			}
		}
		s, m := newScheduler(jobs, limits), newModel(t, jobs, limits)
		fits := !follows && !ahead && deep(jobs) <= budget
		for {
			m.start(s.next())
			m.prepare(s.prepare())
			switch n := m.memory(); {
			case n > budget && fits:
				t.Fatalf("seed %d: %d bytes in use, though every chain fits into %d", seed, n, budget)
			case n > budget:
				alone++
			}
			ready := make([]int, 0, len(m.running))
			for i := range m.running {
				ready = append(ready, i)
			}
			for i, prepared := range m.ahead {
				if !prepared {
					ready = append(ready, i)
				}
			}
			if len(ready) == 0 {
				break
			}
			slices.Sort(ready)
			i := ready[r.IntN(len(ready))]
			if _, ok := m.ahead[i]; ok { // its predictions get better
				m.ahead[i] = true
				known := jobs[i]
				known.Memory, known.Disk = known.Memory*(1+r.Int64N(100))/100, known.Disk*(1+r.Int64N(100))/100
				s.prepared(i, known)
				continue
			}
			m.finish(i)
			s.finish(i)
		}
		if len(m.started) != len(jobs) {
			t.Fatalf("seed %d: %d of %d jobs ran", seed, len(m.started), len(jobs))
		}
		if s.between != 0 || s.preparing != 0 || len(s.waiting) != 0 {
			t.Fatalf("seed %d: at the end %d bytes are charged for %d and %d jobs that are prepared", seed, s.between, s.preparing, len(s.waiting))
		}
		if s.disk != 0 || s.diskAhead != 0 {
			t.Fatalf("seed %d: at the end %d and %d bytes of disks are charged", seed, s.disk, s.diskAhead)
		}
		if s.used != 0 || s.fresh != 0 || s.ahead != 0 || s.free != limits.Workers {
			t.Fatalf("seed %d: at the end %d, %d and %d bytes are charged, and %d of %d workers are free", seed, s.used, s.fresh, s.ahead, s.free, limits.Workers)
		}
	}
	if alone == 0 {
		t.Error("no job was above the budget")
	}
}

func job(work, memory int64) Job { return Job{Continues: -1, Follows: -1, Work: work, Memory: memory} }

// begun lists the jobs that start, with their workers.
func begun(s *scheduler) map[int]int {
	m := map[int]int{}
	for _, x := range s.next() {
		m[x.Job] = x.Workers
	}
	return m
}

func same(t *testing.T, when string, got, want map[int]int) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v (workers by job)", when, got, want)
	}
	for i, n := range want {
		if got[i] != n {
			t.Fatalf("%s: got %v, want %v (workers by job)", when, got, want)
		}
	}
}

// TestOrder: the longest job first; what continues a job before what does not; a job counts with what continues it.
func TestOrder(t *testing.T) {
	jobs := []Job{job(1, 0), job(5, 0), job(3, 0), job(2, 0), job(1, 0)}
	jobs[3].Continues, jobs[4].Continues = 0, 3 // 0 has a path of 4
	s := newScheduler(jobs, Limits{Workers: 1})
	var order []int
	for {
		starts := s.next()
		if len(starts) == 0 {
			break
		}
		order = append(order, starts[0].Job)
		s.finish(starts[0].Job)
	}
	if want := []int{1, 0, 3, 4, 2}; !slices.Equal(order, want) {
		t.Errorf("got %v, want %v", order, want)
	}
}

// TestWorkers: one worker for each job while there are enough jobs; workers that would be idle are shared; the last job gets some of those
// that will soon be free.
func TestWorkers(t *testing.T) {
	s := newScheduler([]Job{job(3, 0), job(2, 0), job(1, 0)}, Limits{Workers: 2})
	same(t, "three jobs, two workers", begun(s), map[int]int{0: 1, 1: 1})
	s.finish(0)
	same(t, "the last one", begun(s), map[int]int{2: 2})

	s = newScheduler([]Job{job(3, 0), job(2, 0)}, Limits{Workers: 5})
	same(t, "two jobs, five workers", begun(s), map[int]int{0: 3, 1: 3})

	s = newScheduler([]Job{job(1, 0)}, Limits{Workers: 7})
	same(t, "one job", begun(s), map[int]int{0: 7})

	s = newScheduler([]Job{{Continues: -1, Follows: -1, Memory: 50, More: 20}}, Limits{Workers: 7, Memory: 100})
	same(t, "memory for three workers", begun(s), map[int]int{0: 3})

	s = newScheduler([]Job{job(9, 60), job(8, 60)}, Limits{Workers: 2, Memory: 100})
	same(t, "memory for one job", begun(s), map[int]int{0: 2})
}

// TestNoStarvation: small jobs fill the place beside a large one that waits, but do not delay it.
func TestNoStarvation(t *testing.T) {
	jobs := []Job{job(100, 50), job(50, 80)}
	for range 200 {
		jobs = append(jobs, job(1, 10))
	}
	s := newScheduler(jobs, Limits{Workers: 8, Memory: 100})
	same(t, "at first", begun(s), map[int]int{0: 3, 2: 3, 3: 2})
	s.finish(2)
	same(t, "when a small one is done", begun(s), map[int]int{4: 3})
	s.finish(0)
	if got := begun(s); got[1] == 0 {
		t.Errorf("when the first one is done: got %v, want job 1 among them", got)
	}
}

// TestAloneAboveBudget: a job above the whole budget starts when nothing else runs, and nothing starts beside it.
func TestAloneAboveBudget(t *testing.T) {
	s := newScheduler([]Job{job(9, 10), job(5, 500), job(1, 10)}, Limits{Workers: 4, Memory: 100})
	same(t, "at first", begun(s), map[int]int{0: 4})
	same(t, "beside the first", begun(s), map[int]int{})
	s.finish(0)
	same(t, "after the first", begun(s), map[int]int{1: 1})
	s.finish(1)
	same(t, "after the large one", begun(s), map[int]int{2: 4})
}

// TestDisk: jobs run at once as far as there is disk space for them. Small ones fill the space beside a large one that waits, but do not delay it. A
// job that needs more than the whole budget runs alone.
func TestDisk(t *testing.T) {
	on := func(work, disk int64) Job { return Job{Continues: -1, Follows: -1, Work: work, Disk: disk} }
	jobs := []Job{on(100, 50), on(90, 80), on(80, 500)}
	for range 20 {
		jobs = append(jobs, on(1, 10))
	}
	s := newScheduler(jobs, Limits{Workers: 4, Disk: 100})
	same(t, "at first", begun(s), map[int]int{0: 2, 3: 1, 4: 1}) // 80 and two of 10 will fit
	s.finish(3)
	same(t, "when a small one is done", begun(s), map[int]int{5: 1})
	s.finish(0)
	if got := begun(s); got[1] == 0 {
		t.Errorf("when the first one is done: got %v, want job 1 among them", got)
	}
	for len(s.ready.list) > 0 || s.running > 0 {
		for i := range s.state {
			if s.state[i].phase == running {
				if s.state[2].phase == running && s.running > 1 {
					t.Fatalf("%d jobs run, and one of them needs more than there is", s.running)
				}
				s.finish(i)
				s.next()
				break
			}
		}
	}
	if s.left > 0 {
		t.Errorf("%d jobs did not run", s.left)
	}
}

// TestRun: all jobs run, on as many goroutines as there are workers.
func TestRun(t *testing.T) {
	jobs := make([]Job, 300)
	for i := range jobs {
		jobs[i] = Job{Continues: i%7 - 1, Follows: -1, Work: int64(i), Memory: int64(i)}
		if i < 7 {
			jobs[i].Continues = -1
		}
	}
	var mu sync.Mutex
	now, most, ran := 0, 0, map[int]bool{}
	err := Run(context.Background(), jobs, Limits{Workers: 3}, Calls{Do: func(s Start) {
		mu.Lock()
		now++
		most, ran[s.Job] = max(most, now), true
		mu.Unlock()
		time.Sleep(100 * time.Microsecond)
		mu.Lock()
		now--
		mu.Unlock()
	}})
	if err != nil || len(ran) != len(jobs) || most != 3 {
		t.Errorf("%d of %d jobs ran, at most %d at once; error %v", len(ran), len(jobs), most, err)
	}
}

// TestCancel: after the context has ended, running jobs are waited for and none is started.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	var ran, ended atomic.Int32
	err := Run(ctx, make([]Job, 0), Limits{Workers: 2}, Calls{})
	if err != nil {
		t.Error(err)
	}
	jobs := make([]Job, 50)
	for i := range jobs {
		jobs[i] = job(1, 1)
	}
	err = Run(ctx, jobs, Limits{Workers: 2}, Calls{Do: func(Start) {
		if ran.Add(1) == 5 {
			cancel()
		}
		<-time.After(time.Millisecond)
		ended.Add(1)
	}})
	if n := ran.Load(); !errors.Is(err, context.Canceled) || n < 5 || n > 6 || n != ended.Load() {
		t.Errorf("%d jobs ran, %d had ended; error %v", n, ended.Load(), err)
	}
	cancel()
}

// TestPrepare: the next job is prepared while this one runs, and no other; those that need no preparation run meanwhile. Predictions that are known
// after the preparation count.
func TestPrepare(t *testing.T) {
	far := func(work int64) Job {
		return Job{Continues: -1, Follows: -1, Work: work, Memory: 1000, Ahead: 10, Disk: 20}
	}
	jobs := []Job{far(9), far(8), far(7), job(6, 30)}
	s := newScheduler(jobs, Limits{Workers: 1, Memory: 100, Disk: 50})
	prepared := func(when string, want ...int) {
		t.Helper()
		if got := s.prepare(); !slices.Equal(got, want) {
			t.Fatalf("%s: got %v, want %v to be prepared", when, got, want)
		}
	}
	end := func(i int) {
		known := jobs[i]
		known.Memory = 60
		s.prepared(i, known)
	}
	same(t, "at first", begun(s), map[int]int{3: 1})
	prepared("with a job that needs no preparation", 0)
	end(0)
	same(t, "as long as that job runs", begun(s), map[int]int{})
	prepared("with one that is prepared")
	s.finish(3)
	same(t, "after it", begun(s), map[int]int{0: 1})
	prepared("while the first one runs", 1)
	s.finish(0)
	same(t, "while the second one is prepared", begun(s), map[int]int{})
	prepared("while the second one is prepared")
	end(1)
	same(t, "when the second one is prepared", begun(s), map[int]int{1: 1})
	prepared("while the second one runs", 2)
	s.finish(1)
	end(2)
	same(t, "at last", begun(s), map[int]int{2: 1})
	s.finish(2)
	if s.used != 0 || s.between != 0 || s.disk != 0 {
		t.Errorf("at the end %d, %d and %d bytes are charged", s.used, s.between, s.disk)
	}
}

// TestPrepareBudget: nothing is prepared that does not fit, and a job above the whole budget is prepared alone.
func TestPrepareBudget(t *testing.T) {
	jobs := []Job{{Continues: -1, Follows: -1, Work: 2, Ahead: 10, Disk: 500}, {Continues: -1, Follows: -1, Work: 1, Ahead: 10, Disk: 10}}
	s := newScheduler(jobs, Limits{Workers: 2, Memory: 100, Disk: 50})
	if got := s.prepare(); !slices.Equal(got, []int{0}) {
		t.Fatalf("got %v, want job 0 alone", got)
	}
	s.prepared(0, jobs[0])
	same(t, "above the budget", begun(s), map[int]int{0: 2})
	if got := s.prepare(); len(got) > 0 {
		t.Fatalf("got %v to be prepared beside a job above the budget", got)
	}
	s.finish(0)
	if got := s.prepare(); !slices.Equal(got, []int{1}) {
		t.Fatalf("got %v, want job 1", got)
	}
}
