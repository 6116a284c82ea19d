package verify

import "github.com/btfbatch/btfbatch/encoder/btf"

// Faults for which the kernel's log has no text. These names are ours, and are keys of the table below.
const (
	tooBig       = "blob over 16 MiB"
	danglingLink = "modifier to a missing type"
)

// phrases explains every verdict to a person who never saw it, and holds its error number.
var phrases = []entry{
	// Header and sections.
	{tooBig, 0, E2BIG, "a load takes at most 16 MiB of BTF"},
	{"hdr_len not found", 0, EINVAL, "the blob is too short to hold the length of its own header"},
	{"btf_header not found", 0, EINVAL, "the header claims to be longer than the blob, as it does when the byte order is not the kernel's"},
	{"Unsupported btf_header", 0, E2BIG, "the header has a part that this kernel does not know and that is not zero, such as the place of a layout section"},
	{"Invalid magic", 0, EINVAL, "the blob does not begin with the number 0xeb9f in the kernel's byte order, so it is not BTF for this machine"},
	{"Unsupported version", 0, ENOTSUPP, "the header names a version of BTF other than 1"},
	{"Unsupported flags", 0, ENOTSUPP, "the header has flags, and none are defined"},
	{"No data", 0, EINVAL, "nothing follows the header"},
	{"Invalid section offset", 0, EINVAL, "a section starts after the end of the blob"},
	{"Unsupported section found", 0, EINVAL, "there are bytes that belong to no section: the sections must follow each other without a gap, up to the last byte"},
	{"Section overlap found", 0, EINVAL, "two sections share bytes"},
	{"Total section length too long", 0, EINVAL, "a section ends after the end of the blob"},
	{"String section is not at the end", 0, EINVAL, "the strings must be the last section, and something follows them"},
	{"Invalid string section", 0, EINVAL, "the string section must begin and end with a zero byte and hold at most 16 MiB"},
	{"Unaligned layout_off", 0, EINVAL, "the layout section must start at a multiple of four bytes"},
	{"Layout section is too small", 0, EINVAL, "the layout section is shorter than one of its entries"},
	{"layout_len is not multiple of 4", 0, EINVAL, "the layout section does not hold a whole number of entries"},
	{"Unaligned type_off", 0, EINVAL, "the type section must start at a multiple of four bytes"},
	{"No type found", 0, EINVAL, "the type section is empty"},

	// One record by itself.
	{"meta_left", 0, EINVAL, "the type section ends inside this type"},
	{"Invalid btf_info", 0, EINVAL, "the info word has bits that this kernel does not use: a kind, a flag or a number of members from a later format"},
	{"Invalid kind", 0, EINVAL, "this kernel does not know this kind of type"},
	{"Invalid name_offset", 0, EINVAL, "a name is outside the string section"},
	{"Invalid name_offset", btf.KindEnum, EINVAL, "the name of the enum or of one of its values is outside the string section"},
	{"Invalid name_offset", btf.KindEnum64, EINVAL, "the name of the enum or of one of its values is outside the string section"},
	{"Invalid member name_offset", 0, EINVAL, "the name of the member is outside the string section"},
	{"vlen != 0", 0, EINVAL, "a type of this kind has no members, yet it claims some"},
	{"vlen == 0", 0, EINVAL, "a section without variables is refused by this kernel"},
	{"Invalid btf_info kind_flag", 0, EINVAL, "the kind flag is set on a kind for which this kernel does not define it"},
	{"Invalid int_data", 0, EINVAL, "the highest four bits of an integer's description are reserved"},
	{"nr_bits exceeds 128", 0, EINVAL, "the bits of an integer, counted with its bit offset, must not exceed 128"},
	{"nr_bits exceeds type_size", 0, EINVAL, "the integer has more bits than its bytes can hold"},
	{"Unsupported encoding", 0, ENOTSUPP, "an integer is plain, signed, a character or a boolean, never two of these at once"},
	{"Invalid type_size", 0, EINVAL, "a floating point number has 2, 4, 8, 12 or 16 bytes"},
	{"Unexpected size", 0, EINVAL, "an enum has 1, 2, 4 or 8 bytes"},
	{"size != 0", 0, EINVAL, "the size field of an array must be zero, since its length is counted in elements"},
	{"size == 0", 0, EINVAL, "a section of no bytes is refused; leave it out"},
	{"type != 0", 0, EINVAL, "a forward declaration refers to no type, so the field must be zero"},
	{"Invalid name", 0, EINVAL, "the name is missing or is not made of letters, digits, underscores and dots, or begins with a digit, or is too long for this kernel"},
	{"Invalid name", btf.KindPtr, EINVAL, "a pointer must not have a name"},
	{"Invalid name", btf.KindConst, EINVAL, "const must not have a name"},
	{"Invalid name", btf.KindVolatile, EINVAL, "volatile must not have a name"},
	{"Invalid name", btf.KindRestrict, EINVAL, "restrict must not have a name"},
	{"Invalid name", btf.KindArray, EINVAL, "an array must not have a name"},
	{"Invalid name", btf.KindFuncProto, EINVAL, "the prototype of a function must not have a name; the name belongs to the function"},
	{"Invalid name", btf.KindTypeTag, EINVAL, "a type tag must have a text"},
	{"Invalid name", btf.KindDatasec, EINVAL, "the name of the section is missing, too long, or has bytes that this kernel does not accept in a section name"},
	{"Invalid name", btf.KindEnum, EINVAL, "the enum or one of its values has a name that is not an identifier; a value must have a name"},
	{"Invalid name", btf.KindEnum64, EINVAL, "the enum or one of its values has a name that is not an identifier; a value must have a name"},
	{"Invalid value", 0, EINVAL, "a declaration tag must have a text"},
	{"Invalid component_idx", 0, EINVAL, "the tag points at a member or parameter that its target does not have"},
	{"Invalid func linkage", 0, EINVAL, "a function is static (0) or global (1); the kernel does not accept extern (2)"},
	{"Linkage not supported", 0, EINVAL, "a variable is static (0) or global (1); the kernel does not accept extern (2)"},
	{"Invalid member bits_offset", 0, EINVAL, "the member begins before the previous one"},
	{"Invalid member bits_offset", btf.KindUnion, EINVAL, "every member of a union begins at bit 0"},
	{"Member bits_offset exceeds its struct size", 0, EINVAL, "the member begins after the end of its struct"},
	{"Invalid offset", 0, EINVAL, "the variable begins before the previous one ends, or after the end of its section"},
	{"Invalid size", 0, EINVAL, "the variable has no bytes, more than its section, or fewer than its type needs"},
	{"Invalid offset+size", 0, EINVAL, "the variable ends after the end of its section"},
	{"Invalid btf_info size", 0, EINVAL, "the variables together are larger than their section"},

	// What types refer to.
	{"Invalid type_id", 0, EINVAL, "the type refers to one that does not exist or is not allowed here"},
	{"Invalid type_id", btf.KindVar, EINVAL, "a variable must have an existing type with a size; void, forward declarations and functions have none"},
	{"Invalid type_id", btf.KindFunc, EINVAL, "a function must refer directly to its prototype"},
	{"Invalid type_id", btf.KindStruct, EINVAL, "a member must have a type"},
	{"Invalid type_id", btf.KindUnion, EINVAL, "a member must have a type"},
	{"Invalid type_id", btf.KindDatasec, EINVAL, "an entry of a section must refer to a variable"},
	{"Invalid type_id", btf.KindDeclTag, EINVAL, "a declaration tag is only allowed on a struct, union, function, variable or typedef"},
	{"Invalid elem", 0, EINVAL, "the elements of an array must have an existing type with a size"},
	{"Invalid index", 0, EINVAL, "the index type of an array must be an ordinary integer of 8, 16, 32, 64 or 128 bits"},
	{"Invalid array of int", 0, EINVAL, "an array of integers takes those of 8, 16, 32, 64 or 128 bits without bit offset"},
	{"Array size overflows U32_MAX", 0, EINVAL, "the array is larger than 4 GiB"},
	{"Invalid member", 0, EINVAL, "a member must have an existing type with a size; void, forward declarations and functions have none"},
	{"Not a VAR kind member", 0, EINVAL, "a section lists variables only"},
	{"Invalid return type", 0, EINVAL, "a function returns nothing or an existing type with a size"},
	{"Invalid arg", 0, EINVAL, "a parameter must have an existing type with a size and an identifier or nothing for a name; only the last may be the variable part, which has no name"},
	{"Invalid arg", btf.KindFunc, EINVAL, "every parameter of a function that is defined must have a name"},
	{"Loop detected", 0, EEXIST, "the type contains itself, by way of the types that it is made of"},
	{"Exceeded max resolving depth", 0, E2BIG, "types are nested more than 32 levels deep before the types that they consist of; list the inner ones first"},

	// Members in their struct.
	{"bits_offset exceeds U32_MAX", 0, EINVAL, "the bit offset of the member is beyond 32 bits"},
	{"nr_copy_bits exceeds 128", 0, EINVAL, "the bit-field does not fit into 128 bits counted from the byte in which it begins"},
	{"Member exceeds struct_size", 0, EINVAL, "the member ends after the end of its struct"},
	{"Invalid member base type", 0, EINVAL, "the type of a bit-field must be an ordinary integer of 8, 16, 32, 64 or 128 bits"},
	{"Invalid member offset", 0, EINVAL, "a member that is no bit-field must begin at a whole byte"},
	{"Invalid member bitfield_size", 0, EINVAL, "the bit-field is wider than its type, or its type cannot be a bit-field"},
	{"Member is not byte aligned", 0, EINVAL, "the member must begin at a whole byte"},
	{"Member is not properly aligned", 0, EINVAL, "a floating point member must begin at a multiple of its size"},

	// After all references are known.
	{"Max chain length or cycle detected", 0, ELOOP, "typedefs, const and the like follow each other more than 32 times, or in a circle"},
	{"Type tags don't precede modifiers", 0, EINVAL, "this kernel requires type tags directly after the pointer, before const, typedef and the like"},
	{danglingLink, 0, EINVAL, "a typedef, const or the like leads to a type that does not exist"},

	// Special fields in structs.
	{fieldTwice, 0, E2BIG, "a struct may hold one lock only"},
	{fieldCount, 0, E2BIG, "the struct holds more than 11 locks, list heads, nodes and the like, or they are nested too deep"},
	{fieldOverlap, 0, EEXIST, "two special fields (locks, list heads, nodes and the like) share bytes"},
	{fieldNothing, 0, EFAULT, "the struct, or one that it holds in a list or tree, has a special type among its members but no valid field of that type, because its size or offset is wrong"},
	{fieldNoLock, 0, EINVAL, "a struct with a list head or tree root also needs a lock"},
	{fieldContains, 0, EINVAL, "a list head or tree root needs one tag of the form contains:STRUCT:MEMBER that names a node of the right sort"},
	{fieldMissing, 0, ENOENT, "the tag of a list head or tree root names a struct or a member that does not exist"},
	{fieldNodes, 0, EINVAL, "a struct with both a list node and a tree node needs a bpf_refcount"},
	{fieldRepeat, 0, EINVAL, "locks, list heads, nodes and the like are not allowed in an array"},
	{fieldBits, 0, EINVAL, "a struct with special fields (locks, list heads, nodes and the like) cannot have members that do not begin at a whole byte"},
	{fieldLocks, 0, EINVAL, "a struct may hold a bpf_spin_lock or a bpf_res_spin_lock, not both"},
	{fieldTag, 0, EINVAL, "a struct with special fields (locks, list heads, nodes and the like) cannot have a pointer with a type tag other than that of a kernel pointer to a struct"},
	{fieldDtor, 0, ENOENT, "a kernel pointer to a struct of the kernel needs a destructor, and the kernel has none for this struct"},
	{fieldCycle, 0, ELOOP, "a struct that is held in a list or tree holds others that hold others again, which could form a circle"},

	// A distilled base, and what becomes of it.
	{distilledKind, 0, EINVAL, "a distilled base holds integers, floating point numbers, enums, structs, unions and forward declarations only"},
	{distilledAnonymous, 0, EINVAL, "a type in a distilled base is found by its name, so it must have one"},
	{distilledTwice, 0, EINVAL, "the kernel has two types that could be this one, and nothing tells which is meant"},
	{distilledMissing, 0, EINVAL, "the kernel has no type of this name, kind and size"},
}
