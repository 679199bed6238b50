/*
 * test_query_limits.c
 *		What query_max_active takes, and what it says of the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/policy/query_limits.h"
#include "tap.h"

static PadvQueryLimits limits;

static void
takes(const char *text, int count, int64_t query_id, int max_active)
{
	const PadvQueryLimit *found;

	ok(padv_query_limits_parse(text, &limits) == NULL && limits.count == count, "\"%s\" has %d limits", text, count);
	found = padv_query_limits_find(&limits, query_id);
	ok(max_active == 0 ? found == NULL : found != NULL && found->max_active == max_active,
	   "\"%s\": the limit of %lld", text, (long long) query_id);
}

static void
refuses(const char *text, const char *why)
{
	const char *wrong = padv_query_limits_parse(text, &limits);

	ok(wrong != NULL && strstr(wrong, why) != NULL, "\"%s\" is refused", text);
}

static void
test_many(void)
{
	char		text[1024] = "";

	for (int i = 1; i <= PADV_MAX_QUERY_LIMITS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d=%d", i > 1 ? "," : "", i * 7, i);
	takes(text, PADV_MAX_QUERY_LIMITS, 7 * 16, 16);
	strcat(text, ",1=1");
	refuses(text, "more than 16");
}

/* Whatever the text is, the result is sound, or there is none. */
static void
test_garbage(void)
{
	static const char letters[] = "0123456789 =,-+ax\t\n";
	int			wrong = 0;

	srand(5);
	for (int round = 0; round < 200000; round++)
	{
		char		text[64];
		int			length = rand() % (int) sizeof(text);

		for (int i = 0; i < length; i++)
			text[i] = letters[rand() % (int) (sizeof(letters) - 1)];
		text[length > 0 ? length - 1 : 0] = '\0';
		if (padv_query_limits_parse(text, &limits) != NULL)
			continue;
		wrong += limits.count < 0 || limits.count > PADV_MAX_QUERY_LIMITS;
		for (int i = 0; i < limits.count; i++)
			wrong += limits.limits[i].query_id == 0 || limits.limits[i].max_active < 1 ||
				padv_query_limits_find(&limits, limits.limits[i].query_id) != &limits.limits[i];
	}
	ok(wrong == 0, "what is taken is sound");
}

int
main(void)
{
	takes("", 0, 1, 0);
	takes(" \t\n", 0, 1, 0);
	takes("4711 = 8", 1, 4711, 8);
	takes("4711=8", 1, 8, 0);
	takes(" -2835399305386018931 = 2 , 4711=262143 ", 2, INT64_C(-2835399305386018931), 2);
	takes("9223372036854775807=1,-9223372036854775808=3", 2, INT64_MIN, 3);
	test_many();
	refuses("4711", "\"=\"");
	refuses("4711=", "from 1");
	refuses("=4", "query ID");
	refuses("0=4", "other than 0");
	refuses("1=0", "from 1");
	refuses("1=-1", "from 1");
	refuses("1=262144", "from 1");
	refuses("1=2,", "query ID");
	refuses(",1=2", "query ID");
	refuses("1=2 3=4", "comma");
	refuses("1=2;", "comma");
	refuses("1=2,1=3", "twice");
	refuses("9223372036854775808=1", "query ID");
	refuses("1.5=1", "\"=\"");
	refuses("1=1.5", "comma");
	refuses("off", "query ID");
	test_garbage();
	return tap_end();
}
