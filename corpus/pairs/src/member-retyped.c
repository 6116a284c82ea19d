/* A member becomes a wider number. */
#include "pair.h"

struct sock {
	u16 family;
	u16 state;
#ifdef NEW
	u64 hash;
#else
	u32 hash;
#endif
	u32 mark;
	u32 priority;
};

NOINLINE u32 sock_mark(struct sock *sk)
{
	return sk->mark;
}
