/* Integers of any width: BTF has none of more than 16 bytes. */
struct wide {
	int before;
	_BitInt(256) big;
	unsigned _BitInt(200) odd;
	_BitInt(128) fits;
	int after;
};
struct wide wide;
_BitInt(256) *pointer;

int start(void)
{
	return wide.before + wide.after + (pointer != 0);
}
