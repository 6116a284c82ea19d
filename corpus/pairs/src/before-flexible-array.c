/* A member is inserted in front of a flexible array member. */
#include "pair.h"

struct rcu_table {
	u32 size;
#ifdef NEW
	u32 mask;
	void *head;
#endif
	void *buckets[];
};

NOINLINE void *rcu_table_first(struct rcu_table *t)
{
	return t->buckets[t->size];
}
