/* The prototype of a callback in a struct of operations changes. */
#include "pair.h"

struct seq_file;

struct proto_ops {
	int (*release)(void *sock);
#ifdef NEW
	int (*accept)(void *sock, void *newsock, u32 flags);
#else
	int (*accept)(void *sock, void *newsock, u32 flags, u32 kern);
#endif
	int (*listen)(void *sock, int len);
};

NOINLINE int ops_listen(struct proto_ops *ops, void *sock)
{
	return ops->listen(sock, 1);
}
