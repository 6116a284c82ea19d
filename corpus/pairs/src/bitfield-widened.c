/* A bit field gets a bit more; those after it move. */
#include "pair.h"

struct sk_buff_flags {
	u32 len;
	u8 cloned : 1;
#ifdef NEW
	u8 pkt_type : 4;
#else
	u8 pkt_type : 3;
#endif
	u8 ip_summed : 2;
	u8 ooo_okay : 1;
	u16 protocol;
};

NOINLINE u32 skb_len(struct sk_buff_flags *skb)
{
	return skb->len + skb->ip_summed;
}
