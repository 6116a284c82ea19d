package schedule

import "slices"

// A job that is prepared passes through these phases: waiting, preparing, prepared, running, done. From the begin of its preparation it is charged with
// its disk space, and with what it holds in memory until it starts. Its peak is charged when it starts, and is better known by then.
//
// Jobs that were prepared and jobs that need no preparation start in one order. A job is prepared only if it leaves enough for the first job that waits
// for memory or disk space. If nothing runs, a prepared job starts whatever it needs, so what is held by prepared jobs never blocks the others.

// prepare returns jobs whose preparation begins.
func (s *scheduler) prepare() (list []int) {
	for s.preparing+len(s.waiting) < max(1, s.free) && len(s.later.list) > 0 {
		i := s.later.pop()
		if !s.roomAhead(i) {
			s.later.push(i)
			break
		}
		st := &s.state[i]
		st.phase = preparing
		s.preparing++
		s.between += s.jobs[i].Ahead
		s.disk += s.jobs[i].Disk
		s.began(i)
		list = append(list, i)
	}
	return list
}

// roomAhead reports whether there is room for the preparation of a job.
func (s *scheduler) roomAhead(i int) bool {
	if s.running == 0 && s.preparing == 0 && len(s.waiting) == 0 {
		return true
	}
	memory, disk := s.used+s.between+s.jobs[i].Ahead, s.disk+s.jobs[i].Disk
	if s.first >= 0 {
		memory += s.peak(s.first, 1) - s.held(s.first)
		disk += s.moreDisk(s.first)
	}
	return memory <= s.limits.Memory && disk <= s.limits.Disk
}

// prepared ends the preparation of a job. known has its predictions.
func (s *scheduler) prepared(i int, known Job) {
	j := &s.jobs[i]
	s.disk += known.Disk - j.Disk
	j.Memory, j.More, j.Held, j.Disk = known.Memory, known.More, known.Held, known.Disk
	s.state[i].phase = prepared
	s.preparing--
	s.waiting = append(s.waiting, i)
	slices.SortFunc(s.waiting, func(a, b int) int {
		if s.before(a, b) {
			return -1
		}
		return 1
	})
}

// candidate returns the next job in the order that may start, and whether there is one. tried is the number of prepared jobs that were returned, or may
// not start yet, and did not start.
func (s *scheduler) candidate(tried *int) (i int, ok bool) {
	for *tried < len(s.waiting) {
		i := s.waiting[*tried]
		if f := s.jobs[i].Follows; f >= 0 && s.state[f].phase < running {
			*tried++
			continue
		}
		if len(s.ready.list) > 0 && s.before(s.ready.list[0], i) {
			break
		}
		*tried++
		return i, true
	}
	if len(s.ready.list) == 0 {
		return 0, false
	}
	return s.ready.pop(), true
}

// began unblocks the jobs that are prepared after this one.
func (s *scheduler) began(i int) {
	st := &s.state[i]
	if st.begun {
		return
	}
	st.begun = true
	for _, f := range st.followers {
		if s.jobs[f].Ahead > 0 {
			s.unblock(f)
		}
	}
}

// leave removes a job that starts from those that were prepared.
func (s *scheduler) leave(i int) {
	s.waiting = slices.DeleteFunc(s.waiting, func(k int) bool { return k == i })
	s.between -= s.jobs[i].Ahead
}

// held is what a job holds in memory that has not started.
func (s *scheduler) held(i int) int64 {
	if s.state[i].phase == prepared {
		return s.jobs[i].Ahead
	}
	return 0
}

// moreDisk is the space on disks that a job needs besides what it is charged with.
func (s *scheduler) moreDisk(i int) int64 {
	if s.state[i].phase == prepared {
		return 0
	}
	return s.jobs[i].Disk
}
