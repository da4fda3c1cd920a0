/* noop: a static program that does nothing: the shortest time from exec to exit,
 * which clients and tools are compared with. */
int main(void)
{
	return 0;
}
