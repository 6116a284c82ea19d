/* The first parameter of a function becomes one of another type. */
#include "pair.h"

struct dentry {
	u64 d_flags;
	u64 d_inode;
};

struct path {
	struct dentry *dentry;
	u64 mnt;
};

#ifdef NEW
NOINLINE u64 vfs_lookup(struct path *path, const char *name, int flags)
{
	return path->dentry->d_flags + path->mnt + name[0] + flags;
}
#else
NOINLINE u64 vfs_lookup(struct dentry *dentry, const char *name, int flags)
{
	return dentry->d_flags + name[0] + flags;
}
#endif

NOINLINE u64 vfs_path(struct path *path)
{
	return path->mnt + path->dentry->d_inode;
}
