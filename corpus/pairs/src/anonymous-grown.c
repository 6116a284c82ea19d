/* A member is added to a struct without a name inside of a union, which grows. */
#include "pair.h"

struct key_payload {
	u32 type;
	union {
		u64 data;
		struct {
			u32 len;
			u32 crc;
#ifdef NEW
			u64 expiry;
#endif
		};
	};
	u32 refs;
};

struct key {
	struct key_payload payload;
	u32 serial;
};

NOINLINE u32 key_serial(struct key *key)
{
	return key->serial;
}
