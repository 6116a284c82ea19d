/* A reserved member gets a name and another type of the same size; one of two reserved ones becomes two smaller members. */
#include "pair.h"

struct net_ns {
	u64 hash;
#ifdef NEW
	void *nexthop;
	u32 vsock_mode;
	u32 vsock_flags;
#else
	u64 reserved1;
	u64 reserved2;
#endif
	u64 reserved3;
};

NOINLINE u64 net_hash(struct net_ns *net)
{
	return net->hash;
}
