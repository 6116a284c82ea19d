/* An array of one element at the end becomes a flexible array member. */
#include "pair.h"

struct dirent {
	u64 ino;
	u16 reclen;
#ifdef NEW
	char name[];
#else
	char name[1];
#endif
};

struct xattr_list {
	u64 total;
	u32 count;
#ifdef NEW
	u64 names[];
#else
	u64 names[1];
#endif
};

NOINLINE int dirent_first(struct dirent *d)
{
	return d->name[0];
}

NOINLINE u64 xattr_first(struct xattr_list *l)
{
	return l->names[0];
}
