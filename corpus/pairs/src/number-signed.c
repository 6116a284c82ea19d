/* A typedef of a byte becomes signed. */
#include "pair.h"

#ifdef NEW
typedef s8 nice_t;
#else
typedef u8 nice_t;
#endif

struct sched_attr {
	nice_t nice;
	nice_t limit;
	u32 policy;
};

NOINLINE u32 sched_policy(struct sched_attr *attr)
{
	return attr->policy + attr->nice;
}
