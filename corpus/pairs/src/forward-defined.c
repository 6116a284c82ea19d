/* A struct that was only declared is defined: its header is included. */
#include "pair.h"

struct cfs_rq;

#ifdef NEW
struct cfs_rq {
	u64 min_vruntime;
	u32 nr_running;
};
#endif

struct task_group {
	struct cfs_rq *cfs_rq;
	u64 shares;
};

NOINLINE u64 group_shares(struct task_group *tg)
{
#ifdef NEW
	return tg->shares + tg->cfs_rq->nr_running;
#else
	return tg->shares;
#endif
}
