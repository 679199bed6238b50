/*
 * fleet_nodes.c
 *		Reading the definition of a node: a name, and a connection string of libpq.
 *
 * Owns the keywords that are known, and the defaults that keep a dead node from holding
 * up the others.  The syntax is that of libpq's keyword/value strings; a URI is not
 * taken, because its parts would have to be decoded.  Pure.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <string.h>

#include "core/monitoring/fleet_config.h"

static const char letters[] =
"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

typedef struct Keyword
{
	const char *name;			/* NULL after the last */
	bool		secret;			/* of the user, not of the server */
	const char *value;			/* ours when none is given, or NULL */
} Keyword;

/*
 * Those of libpq that postgres_fdw takes, up to PostgreSQL 19.  A node that does not answer
 * costs connect_timeout when it is connected to, and tcp_user_timeout when it goes away
 * later; libpq waits for 2 s at least.
 */
static const Keyword keywords[] = {
	{"host", false, NULL},
	{"hostaddr", false, NULL},
	{"port", false, NULL},
	{"dbname", false, NULL},
	{"user", true, NULL},
	{"password", true, NULL},
	{"sslpassword", true, NULL},
	{"application_name", false, "pool_advisor_fleet"},
	{"connect_timeout", false, "2"},
	{"tcp_user_timeout", false, "2000"},
	{"options", false, "-c statement_timeout=2000"},
	{"channel_binding", false, NULL},
	{"gssdelegation", false, NULL},
	{"gssencmode", false, NULL},
	{"gsslib", false, NULL},
	{"keepalives", false, NULL},
	{"keepalives_count", false, NULL},
	{"keepalives_idle", false, NULL},
	{"keepalives_interval", false, NULL},
	{"krbsrvname", false, NULL},
	{"load_balance_hosts", false, NULL},
	{"max_protocol_version", false, NULL},
	{"min_protocol_version", false, NULL},
	{"passfile", false, NULL},
	{"require_auth", false, NULL},
	{"requirepeer", false, NULL},
	{"service", false, NULL},
	{"ssl_max_protocol_version", false, NULL},
	{"ssl_min_protocol_version", false, NULL},
	{"sslcert", false, NULL},
	{"sslcertmode", false, NULL},
	{"sslcompression", false, NULL},
	{"sslcrl", false, NULL},
	{"sslcrldir", false, NULL},
	{"sslkey", false, NULL},
	{"sslmode", false, NULL},
	{"sslnegotiation", false, NULL},
	{"sslrootcert", false, NULL},
	{"sslsni", false, NULL},
	{"target_session_attrs", false, NULL},
	{0}
};

static const Keyword *
find_keyword(const char *name)
{
	for (const Keyword *keyword = keywords; keyword->name != NULL; keyword++)
		if (strcmp(keyword->name, name) == 0)
			return keyword;
	return NULL;
}

bool
padv_fleet_is_secret(const char *keyword)
{
	const Keyword *found = find_keyword(keyword);

	return found != NULL && found->secret;
}

const char *
padv_fleet_option(const PadvFleetNode *node, const char *keyword)
{
	for (int i = 0; i < node->noptions; i++)
		if (strcmp(node->options[i].keyword, keyword) == 0)
			return node->options[i].value;
	return NULL;
}

static void
set_option(PadvFleetNode *node, const char *keyword, const char *value)
{
	int			place = 0;

	while (place < node->noptions && strcmp(node->options[place].keyword, keyword) != 0)
		place++;
	node->options[place] = (PadvFleetOption) {keyword, value};
	if (place == node->noptions)
		node->noptions++;
}

/*
 * Take a value from *text, and end it with a NUL at the place where it was; *text is what
 * follows.  False when a quote is not closed.
 */
static bool
take_value(char **text, char **value)
{
	char	   *from = *text;
	char	   *to = *text;
	bool		quoted = *from == '\'';

	*value = to;
	if (quoted)
		from++;
	while (*from != '\0' && (quoted ? *from != '\'' : *from != ' '))
	{
		if (*from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from++;
	}
	if (quoted && *from == '\0')
		return false;
	*text = *from == '\0' ? from : from + 1;
	*to = '\0';
	return true;
}

/* Take keyword = value from *text, and set it in the node; returns as padv_fleet_parse_node. */
static const char *
take_option(char **text, PadvFleetNode *node)
{
	char	   *name = *text;
	size_t		length = strcspn(name, "= ");
	char	   *at = name + length;
	const Keyword *keyword;
	char	   *value;

	at += strspn(at, " ");
	if (*at != '=')
		return "A keyword of the connection string has no value.";
	name[length] = '\0';
	at++;
	at += strspn(at, " ");
	keyword = find_keyword(name);
	if (keyword == NULL)
		return "The connection string has a keyword that is not known, or cannot be set here.";
	if (!take_value(&at, &value))
		return "A quoted value of the connection string is not closed.";
	set_option(node, keyword->name, value);
	*text = at;
	return NULL;
}

/* Add defaults, and remove options without a value. */
static void
complete_options(PadvFleetNode *node)
{
	int			kept = 0;

	for (const Keyword *keyword = keywords; keyword->name != NULL; keyword++)
		if (keyword->value != NULL && padv_fleet_option(node, keyword->name) == NULL)
			set_option(node, keyword->name, keyword->value);
	for (int i = 0; i < node->noptions; i++)
		if (node->options[i].value[0] != '\0')
			node->options[kept++] = node->options[i];
	node->noptions = kept;
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char) *text < ' ' || *text == 0x7F)
			return true;
	return false;
}

const char *
padv_fleet_parse_node(char *text, PadvFleetNode *node)
{
	size_t		length = strspn(text, letters);
	char	   *rest = text + length + 1;

	memset(node, 0, sizeof(*node));
	if (has_control(text))
		return "It contains a control character.";
	if (length == 0 || length > PADV_FLEET_NAME_LENGTH || text[length] != '=')
		return "It must start with a name of 1 to 40 letters, digits, dots, dashes and underscores, and a \"=\".";
	text[length] = '\0';
	node->name = text;
	if (strncmp(rest, "postgres://", 11) == 0 || strncmp(rest, "postgresql://", 13) == 0)
		return "Its connection string is a URI.";
	for (rest += strspn(rest, " "); *rest != '\0'; rest += strspn(rest, " "))
	{
		const char *problem = take_option(&rest, node);

		if (problem != NULL)
			return problem;
	}
	if (node->noptions == 0)
		return "It has no connection string.";
	complete_options(node);
	return NULL;
}
