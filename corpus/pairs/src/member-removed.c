/* A member goes; those after it move up. */
#include "pair.h"

struct inode {
	u64 i_ino;
	u32 i_nlink;
	u32 i_generation;
#ifndef NEW
	void *i_private;
#endif
	u64 i_size;
	u64 i_blocks;
};

NOINLINE u64 inode_size(struct inode *inode)
{
	return inode->i_size;
}
