/* noop: the shortest life of a process, against which clients are held. */
int main(void)
{
	return 0;
}
