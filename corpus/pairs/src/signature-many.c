/* A pointer becomes one to const in the same way in many functions. */
#include "pair.h"

struct bin_attribute {
	u64 size;
	u32 mode;
};

#ifdef NEW
#define ATTR const struct bin_attribute
#else
#define ATTR struct bin_attribute
#endif

#define READER(name) NOINLINE u64 name(ATTR *attr, u64 off) { return attr->size + off; }
READER(acpi_read)
READER(pci_read)
READER(vpd_read)
READER(cdat_read)
READER(bmp_read)
READER(rom_read)

struct attribute_group {
	ATTR *attr;
	u32 count;
};

NOINLINE u32 group_count(struct attribute_group *group)
{
	return group->count;
}
