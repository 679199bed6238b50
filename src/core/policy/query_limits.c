/*
 * query_limits.c
 *		Limits on transactions that begin with certain statements.
 *
 * Pure.  The setting has query IDs, because only these are known when a transaction asks
 * for a slot, and texts would have to be parsed like the server's own.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/policy/query_limits.h"

/* The value of a macro as a literal, for messages. */
#define TEXT(value) #value
#define TEXT_OF(macro) TEXT(macro)

static const char *
skip_spaces(const char *at)
{
	while (isspace((unsigned char) *at))
		at++;
	return at;
}

/* Read a whole number and the spaces around it; false when there is none in these bounds. */
static bool
read_number(const char **at, long long least, long long most, int64_t *number)
{
	char	   *end;
	long long	value;

	errno = 0;
	value = strtoll(*at, &end, 10);
	if (end == *at || errno != 0 || value < least || value > most)
		return false;
	*number = (int64_t) value;
	*at = skip_spaces(end);
	return true;
}

/* Read one limit to the end of the list; NULL, or what is wrong. */
static const char *
read_limit(const char **at, PadvQueryLimits *limits)
{
	int64_t		query_id;
	int64_t		max_active;

	if (!read_number(at, INT64_MIN, INT64_MAX, &query_id) || query_id == 0)
		return "A query ID is missing, or is not a whole number other than 0.";
	if (**at != '=')
		return "There must be \"=\" and a limit behind each query ID.";
	(*at)++;
	if (!read_number(at, 1, PADV_MAX_QUERY_ACTIVE, &max_active))
		return "A limit must be a whole number from 1 to " TEXT_OF(PADV_MAX_QUERY_ACTIVE) ".";
	if (padv_query_limits_find(limits, query_id) != NULL)
		return "A query ID is there twice.";
	if (limits->count == PADV_MAX_QUERY_LIMITS)
		return "There are more than " TEXT_OF(PADV_MAX_QUERY_LIMITS) " limits.";
	limits->limits[limits->count++] = (PadvQueryLimit) {query_id, (int32_t) max_active};
	return NULL;
}

const char *
padv_query_limits_parse(const char *text, PadvQueryLimits *limits)
{
	const char *at = skip_spaces(text);
	const char *wrong;

	*limits = (PadvQueryLimits) {0};
	if (*at == '\0')
		return NULL;
	while ((wrong = read_limit(&at, limits)) == NULL && *at != '\0')
	{
		if (*at != ',')
			return "There must be a comma between two limits.";
		at++;
	}
	return wrong;
}

const PadvQueryLimit *
padv_query_limits_find(const PadvQueryLimits *limits, int64_t query_id)
{
	for (int i = 0; i < limits->count && i < PADV_MAX_QUERY_LIMITS; i++)
		if (limits->limits[i].query_id == query_id)
			return &limits->limits[i];
	return NULL;
}
