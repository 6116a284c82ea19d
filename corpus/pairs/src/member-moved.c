/* A member moves to the front, for the sake of a cache line. */
#include "pair.h"

struct net_device {
#ifdef NEW
	u64 state;
#endif
	u32 ifindex;
	u32 mtu;
	u64 features;
	void *priv;
#ifndef NEW
	u64 state;
#endif
};

NOINLINE u32 dev_mtu(struct net_device *dev)
{
	return dev->mtu;
}
