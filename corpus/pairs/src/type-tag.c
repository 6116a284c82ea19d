/* A pointer gets a tag of its type, which gcc 12 does not know. */
#include "pair.h"

#if defined(NEW) && defined(__clang__)
#define RCU __attribute__((btf_type_tag("rcu")))
#else
#define RCU
#endif

struct cgroup {
	u64 id;
	u32 level;
};

struct css_set {
	u64 refs;
	struct cgroup RCU *dfl_cgrp;
};

NOINLINE u64 css_cgroup(struct css_set *cset)
{
	return cset->refs + cset->dfl_cgrp->id;
}
