/* Members are put into a struct with a name: programs reach them by another path. */
#include "pair.h"

struct vma {
	u64 vm_flags;
#ifdef NEW
	struct {
		u64 start;
		u64 end;
	} range;
#else
	u64 start;
	u64 end;
#endif
	void *file;
};

NOINLINE void *vma_file(struct vma *vma)
{
	return vma->file;
}
