/* A member is added three levels down in structs and unions without a name. */
#include "pair.h"

struct slab {
	u64 flags;
	union {
		struct {
			void *next;
			union {
				u32 pages;
				struct {
					u16 inuse;
					u16 objects;
#ifdef NEW
					u32 frozen;
#endif
				};
			};
		};
		void *rcu_head[2];
	};
	u32 refcount;
};

NOINLINE u16 slab_inuse(struct slab *slab)
{
	return slab->inuse;
}
