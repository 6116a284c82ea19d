/* A struct gets the attribute packed. */
#include "pair.h"

#ifdef NEW
#define PACKED __attribute__((packed))
#else
#define PACKED
#endif

struct wire_header {
	u8 type;
	u32 length;
	u16 checksum;
} PACKED;

struct wire_frame {
	struct wire_header header;
	u64 payload;
};

NOINLINE u64 frame_payload(struct wire_frame *f)
{
	return f->payload + f->header.length;
}
