// Package schedule runs the jobs of a graph with a number of workers and within budgets of memory and disk space.
//
// Input: for each job what it continues, how much work it is and how much memory it needs, and a function that does a job. Output: calls of
// that function, each with a number of workers. Never: the package does not know what a job does. The result of a job must not depend on when
// the job runs or on its number of workers.
//
// Workers: two jobs with one worker each take less time than the same jobs in sequence with two workers each, because the workers of one job
// wait for each other. Therefore a job gets one worker as long as there are enough jobs, and more if processors would be idle.
//
// Order: a job starts after the job that it continues is done. Of the jobs that can start, those that continue another one come first,
// because memory is held for them. Then comes the job with the most work, including the work of what continues it, so that the last jobs
// of a batch are short.
//
// Memory: a job is charged with its predicted peak. A job that others continue is also charged with what it holds for them and with the
// largest of them, until the last of them is done. Therefore one of them always fits: the budget cannot be filled by jobs that are done. If
// the first job in the order does not fit, a later one may start before it, but only if both will fit together. The first one then waits
// only for jobs that were running already. If nothing runs, the first one starts whatever it needs: a job above the whole budget runs alone.
//
// Disk: a job is charged with the space that it needs while it runs. The same rules apply, except that nothing is held when a job is done.
//
// Preparation: some jobs wait for something before they need a processor, such as a download. They are prepared before they start, which takes no
// worker. As many are prepared at once as workers are free, or one if none is, so that the next job is ready when a worker is. See prepare.go.
package schedule

import (
	"context"
	"math"
)

// A Job is one job of a graph. The jobs that it refers to come before it in the list.
type Job struct {
	Continues int   // index of the job that must be done; -1: none
	Follows   int   // index of the job that must have started, because this one may wait for it while both run; -1: none. They are prepared in that order, too.
	Work      int64 // in any unit; of two jobs, the one with more work starts first
	Memory    int64 // predicted peak with one worker, in bytes
	More      int64 // what each further worker adds to the peak, in bytes
	Ahead     int64 // what it holds in memory from the begin of its preparation to its start, in bytes; 0: it starts without being prepared
	Disk      int64 // space on disks that it needs until it is done, in bytes, beginning with its preparation
	Held      int64 // what stays in memory when the job is done, until the last job that continues it is done, in bytes
}

// Limits bound what runs at once.
type Limits struct {
	Workers int   // at least 1
	Memory  int64 // budget in bytes; 0: no limit
	Disk    int64 // budget in bytes; 0: no limit
}

// A Start says which job starts, and with how many workers.
type Start struct {
	Job, Workers int
}

// Calls are what Run calls, from several goroutines.
type Calls struct {
	Do func(s Start)
	// Prepare prepares a job with Ahead. It returns the job with the predictions that are known by then: Memory, More, Held and Disk. It may be nil if
	// there is no such job.
	Prepare func(i int) Job
}

// Run calls Do for all jobs, and returns when all calls have returned. When the context has ended, no further job is prepared or
// started, and the result is the error of the context. Some jobs may have been prepared then that do not start.
func Run(ctx context.Context, jobs []Job, limits Limits, calls Calls) error {
	s := newScheduler(jobs, limits)
	done, prepared := make(chan int), make(chan func())
	for {
		if ctx.Err() == nil {
			for _, start := range s.next() {
				go func() {
					calls.Do(start)
					done <- start.Job
				}()
			}
			for _, i := range s.prepare() {
				go func() {
					known := calls.Prepare(i)
					prepared <- func() { s.prepared(i, known) }
				}()
			}
		}
		if s.running == 0 && s.preparing == 0 {
			return ctx.Err()
		}
		select {
		case i := <-done:
			s.finish(i)
		case record := <-prepared:
			record()
		}
	}
}

// A scheduler decides what starts next. One goroutine uses it.
type scheduler struct {
	jobs   []Job // their predictions change when they are prepared
	limits Limits
	state  []state
	ready  queue // jobs that can start
	later  queue // jobs that can be prepared

	preparing int   // jobs that are being prepared
	waiting   []int // jobs that were prepared, and have not started
	first     int   // the first job in the order that did not fit when next was called; -1: none

	left    int   // jobs that have not started
	running int   // jobs
	free    int   // workers; negative while the last job has more than its share
	used    int64 // bytes that are charged: the sum of charge over all jobs that continue none
	fresh   int64 // the part of used for running jobs that continue none
	ahead   int64 // the part of fresh for jobs that started before an earlier one in the order
	between int64 // bytes of jobs that are being prepared or were prepared, besides used

	disk      int64 // bytes of jobs that run or were prepared
	diskAhead int64 // the part of disk for jobs that started before an earlier one in the order
}

// state is the progress of one job.
type state struct {
	blocked   int   // number of jobs that must have started or be done before this one can start
	continued []int // jobs that continue this one
	followers []int // jobs that follow this one
	left      int   // number of jobs in continued that are not done
	path      int64 // work of the job and of the longest chain that continues it
	reserve   int64 // largest peak of a job that continues this one

	phase     phase
	begun     bool // its preparation began, or it started
	ahead     bool // it is counted in scheduler.ahead
	workers   int
	overtakes bool // it is counted in scheduler.diskAhead

	below  int64 // sum of charge over the jobs that continue this one
	charge int64
}

type phase uint8

const (
	waiting phase = iota
	preparing
	prepared
	running
	done
)

func newScheduler(jobs []Job, limits Limits) *scheduler {
	limits.Workers = max(1, limits.Workers)
	if limits.Memory <= 0 {
		limits.Memory = math.MaxInt64
	}
	if limits.Disk <= 0 {
		limits.Disk = math.MaxInt64
	}
	s := &scheduler{jobs: jobs, limits: limits, state: make([]state, len(jobs)), left: len(jobs), free: limits.Workers, first: -1}
	s.ready.before, s.later.before = s.before, s.before
	for i := len(jobs) - 1; i >= 0; i-- { // what continues a job comes before it in this loop
		j, st := &jobs[i], &s.state[i]
		st.path += j.Work
		if j.Continues >= 0 {
			base := &s.state[j.Continues]
			base.continued = append(base.continued, i)
			base.left++
			base.path = max(base.path, st.path)
			base.reserve = max(base.reserve, s.peak(i, 1))
			st.blocked++
		}
		if j.Follows >= 0 {
			s.state[j.Follows].followers = append(s.state[j.Follows].followers, i)
			st.blocked++
		}
	}
	for i := range jobs {
		if s.state[i].blocked == 0 {
			s.add(i)
		}
	}
	return s
}

// before reports whether job a comes before job b in the order.
func (s *scheduler) before(a, b int) bool {
	if x, y := s.jobs[a].Continues >= 0, s.jobs[b].Continues >= 0; x != y {
		return x
	}
	if x, y := s.state[a].path, s.state[b].path; x != y {
		return x > y
	}
	return a < b
}

// peak is the charge of a job while it runs. It covers what is charged after the job is done, until more than one job continues it.
func (s *scheduler) peak(i, workers int) int64 {
	j, st := &s.jobs[i], &s.state[i]
	p := j.Memory + int64(workers-1)*j.More
	if len(st.continued) > 0 {
		p = max(p, j.Held+st.reserve)
	}
	return p
}

// chargeOf is the charge of a job for itself and for what continues it. The sum over the jobs that continue it is below.
func (s *scheduler) chargeOf(i, workers int, below int64) int64 {
	switch st := &s.state[i]; {
	case st.phase < running:
		return 0
	case st.phase == running:
		return s.peak(i, workers)
	case st.left > 0:
		return s.jobs[i].Held + max(st.reserve, below)
	default:
		return below
	}
}

// more is what is added to the memory in use if the charge of a job that has not started, or runs, becomes the given one.
func (s *scheduler) more(i int, charge int64) int64 {
	delta := charge - s.state[i].charge
	for i = s.jobs[i].Continues; i >= 0 && delta != 0; i = s.jobs[i].Continues {
		st := &s.state[i]
		delta = s.chargeOf(i, st.workers, st.below+delta) - st.charge
	}
	return delta
}

// update calculates the charge of a job again, and those of the jobs that it continues.
func (s *scheduler) update(i int) {
	for {
		st := &s.state[i]
		charge := s.chargeOf(i, st.workers, st.below)
		delta := charge - st.charge
		st.charge = charge
		i = s.jobs[i].Continues
		if i < 0 {
			s.used += delta
			return
		}
		s.state[i].below += delta
	}
}

// look is the largest number of jobs that do not fit and are passed over at a time.
const look = 64

// next starts the jobs that can start.
func (s *scheduler) next() []Start {
	var starts []Start
	var passed []int // in the order, and do not fit
	tried := 0       // of those that were prepared
	for s.free > 0 && len(passed) < look {
		i, ok := s.candidate(&tried)
		if !ok {
			break
		}
		if s.running == 0 && s.alone(i) || s.fits(i, passed) {
			if s.state[i].phase == prepared {
				tried-- // it leaves the list
			}
			s.start(i, len(passed) > 0)
			starts = append(starts, Start{Job: i, Workers: 1})
		} else {
			passed = append(passed, i)
		}
	}
	s.first = -1
	for k, i := range passed {
		if k == 0 {
			s.first = i
		}
		if s.state[i].phase == waiting {
			s.ready.push(i)
		}
	}
	for n := range starts { // the first ones get more if the workers cannot be divided evenly
		s.widen(&starts[n], len(starts)-n)
	}
	return starts
}

// alone reports whether a job may start when nothing runs, whatever it needs. Jobs that were prepared come first: they hold what others may
// need.
func (s *scheduler) alone(i int) bool {
	return s.state[i].phase == prepared || s.preparing == 0 && len(s.waiting) == 0
}

// fits reports whether a job can start before those that are passed over.
func (s *scheduler) fits(i int, passed []int) bool {
	peak := s.peak(i, 1)
	more := s.more(i, peak) - s.held(i)
	disk := s.moreDisk(i)
	if s.used+s.between+more > s.limits.Memory || s.disk+disk > s.limits.Disk {
		return false
	}
	if len(passed) == 0 {
		return true
	}
	// The first one will start at the latest when the jobs that are neither held nor ahead of it are done.
	first := passed[0]
	return s.used-s.fresh+s.ahead+s.between+more+s.peak(first, 1)-s.held(first) <= s.limits.Memory && s.diskAhead+s.jobs[i].Disk+s.jobs[first].Disk <= s.limits.Disk
}

// start starts a job with one worker.
func (s *scheduler) start(i int, ahead bool) {
	st := &s.state[i]
	if st.phase == prepared {
		s.leave(i)
	} else {
		s.disk += s.jobs[i].Disk
	}
	st.phase, st.workers, st.ahead = running, 1, ahead && s.jobs[i].Continues < 0
	s.update(i)
	if s.jobs[i].Continues < 0 {
		s.fresh += st.charge
	}
	if st.ahead {
		s.ahead += st.charge
	}
	if st.overtakes = ahead; ahead {
		s.diskAhead += s.jobs[i].Disk
	}
	s.left--
	s.running++
	s.free--
	s.began(i)
	for _, f := range st.followers {
		if s.jobs[f].Ahead == 0 {
			s.unblock(f)
		}
	}
}

// widen gives a job that starts its share of the workers that would be idle, as far as memory allows. n jobs share them. The last job of all
// gets some that are still in use, because it would run alone when the others are done.
func (s *scheduler) widen(start *Start, n int) {
	most := s.limits.Workers
	workers := 1 + (s.free+n-1)/n
	if s.free <= 0 {
		workers = 1
	}
	if s.left == 0 && n == 1 {
		workers = max(workers, 1+most/s.running)
	}
	i := start.Job
	st := &s.state[i]
	workers = min(workers, most)
	for workers > 1 && s.used+s.between+s.more(i, s.peak(i, workers)) > s.limits.Memory {
		workers--
	}
	if workers == 1 {
		return
	}
	s.free -= workers - 1
	old := st.charge
	st.workers, start.Workers = workers, workers
	s.update(i)
	if s.jobs[i].Continues < 0 {
		s.fresh += st.charge - old
	}
	if st.ahead {
		s.ahead += st.charge - old
	}
}

// finish ends a job.
func (s *scheduler) finish(i int) {
	st := &s.state[i]
	s.running--
	s.free += st.workers
	base := s.jobs[i].Continues
	if base < 0 {
		s.fresh -= st.charge
	} else {
		s.state[base].left--
	}
	if st.ahead {
		s.ahead -= st.charge
	}
	s.disk -= s.jobs[i].Disk
	if st.overtakes {
		s.diskAhead -= s.jobs[i].Disk
	}
	st.phase = done
	s.update(i)
	for _, c := range st.continued {
		s.unblock(c)
	}
}

func (s *scheduler) unblock(i int) {
	if s.state[i].blocked--; s.state[i].blocked == 0 {
		s.add(i)
	}
}

// add adds a job that nothing blocks to the jobs that can start, or to those that can be prepared.
func (s *scheduler) add(i int) {
	if s.jobs[i].Ahead > 0 {
		s.later.push(i)
	} else {
		s.ready.push(i)
	}
}
