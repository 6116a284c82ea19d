package schedule

import "container/heap"

// A queue has the jobs that can start. The first one in the order leaves first.
type queue struct {
	list   []int
	before func(a, b int) bool
}

func (q *queue) push(i int) { heap.Push((*byOrder)(q), i) }
func (q *queue) pop() int   { return heap.Pop((*byOrder)(q)).(int) } //nolint:forcetypeassert // byOrder has only such values

// byOrder implements heap.Interface.
type byOrder queue

func (q *byOrder) Len() int           { return len(q.list) }
func (q *byOrder) Less(i, j int) bool { return q.before(q.list[i], q.list[j]) }
func (q *byOrder) Swap(i, j int)      { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *byOrder) Push(x any)         { q.list = append(q.list, x.(int)) } //nolint:forcetypeassert // push has only such values
func (q *byOrder) Pop() any {
	last := len(q.list) - 1
	x := q.list[last]
	q.list = q.list[:last]
	return x
}
