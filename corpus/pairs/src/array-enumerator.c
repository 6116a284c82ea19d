/* An enumerator is added before the last one, which is the length of an array: the array grows, and three structs with it. */
#include "pair.h"

enum cgroup_subsys_id {
	cpu_cgrp_id,
	memory_cgrp_id,
	io_cgrp_id,
#ifdef NEW
	pids_cgrp_id,
#endif
	CGROUP_SUBSYS_COUNT
};

struct css {
	u64 refs;
	enum cgroup_subsys_id id;
};

struct cgroup {
	int level;
	struct css *subsys[CGROUP_SUBSYS_COUNT];
	u64 flags;
	int nr_descendants;
};

struct cgroup_root {
	struct cgroup cgrp;
	u32 hierarchy_id;
};

struct cgroup_namespace {
	u32 ns;
	struct cgroup_root root;
};

NOINLINE int cgroup_level(struct cgroup *cgrp)
{
	return cgrp->level + cgrp->subsys[0]->id;
}

NOINLINE u32 cgroup_ns(struct cgroup_namespace *ns)
{
	return ns->root.hierarchy_id;
}
