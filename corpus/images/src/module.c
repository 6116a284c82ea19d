/* A module: relocatable, with its own per-CPU section, an init function, strings about itself. */
#include "kernel.h"

struct module {
	char name[24];
	initcall_t init;
	exitcall_t exit;
};

struct packet {
	struct list_head list;
	u32 len : 20, kind : 4;
	u8 data[];
};

static const char __used __section(".modinfo") modinfo_license[] = "license=GPL";
DEFINE_PER_CPU(u64, packets);
static DEFINE_PER_CPU(struct packet *, pending);
static struct list_head queue = { &queue, &queue };
static bool enabled = 1;

static noinline int enqueue(struct packet *p, int unused, bool urgent)
{
	packets += p->len;
	if (pending)
		return 0;
	pending = urgent ? p : NULL;
	p->list.next = queue.next;
	return enabled + hash_bytes(p->data, p->len);
}

int packet_send(struct packet *p)
{
	return enqueue(p, 1, p->kind == 3) + enqueue(p, 2, 0);
}

static __section(".init.text") __used int packet_init(void)
{
	enabled = system_state != 0;
	return 0;
}

static __section(".exit.text") __used void packet_exit(void)
{
	enabled = 0;
}

struct module __section(".gnu.linkonce.this_module") __this_module = {
	.name = "packet", .init = packet_init, .exit = packet_exit,
};
__ADDRESSABLE(packet_init, 7);
