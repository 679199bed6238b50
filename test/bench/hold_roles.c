/*
 * hold_roles.c
 *		Sessions of many roles, held until it is killed.
 *
 * hold_roles CONNINFO COUNT logs in once as each of the roles role_1 to
 * role_COUNT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <libpq-fe.h>

int
main(int argc, char **argv)
{
	int			count = argc == 3 ? atoi(argv[2]) : 0;

	for (int i = 1; i <= count; i++)
	{
		char		conninfo[1024];
		PGconn	   *connection;

		snprintf(conninfo, sizeof(conninfo), "%s user=role_%d", argv[1], i);
		connection = PQconnectdb(conninfo);
		if (PQstatus(connection) != CONNECTION_OK)
		{
			fprintf(stderr, "%s", PQerrorMessage(connection));
			return 1;
		}
	}
	pause();
	return 0;
}
