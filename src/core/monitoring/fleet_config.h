/*
 * fleet_config.h
 *		Configurations that show several servers at one place, as text.
 *
 * Pure: plain data of the caller; nothing blocks, allocates or fails.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_FLEET_CONFIG_H
#define PADV_FLEET_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "core/monitoring/monitoring_config.h"

#define PADV_FLEET_MAX_NODES 32

/* With more nodes than this, jobs read them, and the views show what was read. */
#define PADV_FLEET_MAX_DIRECT 20

/* Bytes of the longest name of a node: with a prefix and a view's name it is an identifier. */
#define PADV_FLEET_NAME_LENGTH 40

/* More than libpq has keywords. */
#define PADV_FLEET_MAX_OPTIONS 48

typedef struct PadvFleetOption
{
	const char *keyword;		/* of libpq */
	const char *value;			/* not empty */
} PadvFleetOption;

typedef struct PadvFleetNode
{
	const char *name;			/* letters, digits, and _ . - */
	int			noptions;
	PadvFleetOption options[PADV_FLEET_MAX_OPTIONS];
} PadvFleetNode;

/* A view of pool_advisor, as the server has it that prints the configuration. */
typedef struct PadvFleetColumn
{
	const char *name;
	const char *type;			/* as SQL writes it */
} PadvFleetColumn;

typedef struct PadvFleetView
{
	const char *name;
	int			ncolumns;
	const PadvFleetColumn *columns;
} PadvFleetView;

typedef struct PadvFleetInput
{
	int			nnodes;
	const PadvFleetNode *nodes;
	int			nviews;
	const PadvFleetView *views;
} PadvFleetInput;

typedef struct PadvFleetEngine
{
	const char *name;			/* NULL after the last */
	void		(*write) (const PadvConfigWriter *writer, const PadvFleetInput *input);
} PadvFleetEngine;

extern const PadvFleetEngine padv_fleet_engines[];

/* The engine of this name, compared as in core/text/names.h, or NULL. */
extern const PadvFleetEngine *padv_find_fleet_engine(const char *name);

/* The views that a fleet shows, those that a server may not have included. */
#define PADV_FLEET_VIEWS 6
extern const char *const padv_fleet_views[PADV_FLEET_VIEWS];

/*
 * Read "name=conninfo" into *node, which points into text; text is changed.  A keyword that
 * comes twice has its last value, and an empty value removes a default of ours.  Returns
 * NULL, or a sentence that says what is wrong and quotes nothing, because a part of the text
 * may be a password.
 */
extern const char *padv_fleet_parse_node(char *text, PadvFleetNode *node);

/* The value of a keyword, or NULL. */
extern const char *padv_fleet_option(const PadvFleetNode *node, const char *keyword);

/* Whether a keyword is an option of the user mapping, which other roles cannot read. */
extern bool padv_fleet_is_secret(const char *keyword);

/* For the files that have the texts. */
extern void padv_fleet_write_rules(const PadvConfigWriter *writer, const PadvFleetInput *input);
extern const char padv_fleet_limit_sql[];

#endif							/* PADV_FLEET_CONFIG_H */
