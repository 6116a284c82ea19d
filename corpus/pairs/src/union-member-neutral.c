/* A union gets a member for which it has room. */
#include "pair.h"

union sigval {
	u32 sival_int;
	void *sival_ptr;
#ifdef NEW
	u64 sival_u64;
#endif
};

struct siginfo {
	int signo;
	union sigval value;
};

NOINLINE int siginfo_no(struct siginfo *info)
{
	return info->signo + info->value.sival_int;
}
