/*
 * fleet_funcs.c
 *		SQL function that prints what shows several servers at one place.
 *
 * Checks the nodes, and reads from the catalog which columns the views have here, so that
 * the text fits the installed version.  The texts are in core/monitoring.  Writes nothing,
 * and quotes no connection string in an error.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "core/monitoring/fleet_config.h"
#include "shmem/status_shmem.h"
#include "sql/arguments.h"

PG_FUNCTION_INFO_V1(pool_advisor_fleet_config);

static void
append_fleet_text(void *arg, const char *text)
{
	appendStringInfoString((StringInfo) arg, text);
}

static const PadvFleetEngine *
check_engine(const char *name)
{
	const PadvFleetEngine *engine = padv_find_fleet_engine(name);
	StringInfoData list;

	if (engine != NULL)
		return engine;
	initStringInfo(&list);
	for (engine = padv_fleet_engines; engine->name != NULL; engine++)
		appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", engine->name);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized engine: \"%s\"", name),
			 errhint("Engine must be one of: %s.", list.data)));
}

/* Raise the error for a node; its number is said, because its text may have a password. */
static void
refuse_node(int number, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid definition of node number %d", number),
			 errdetail("%s", detail),
			 errhint("Write a node as 'node1=host=10.0.0.1 dbname=postgres user=monitoring'.")));
}

static void
check_node_is_new(const PadvFleetInput *input, const char *name)
{
	for (int i = 0; i < input->nnodes; i++)
		if (strcmp(input->nodes[i].name, name) == 0)
			refuse_node(input->nnodes + 1, "Another node has the same name.");
}

static void
read_nodes(FunctionCallInfo fcinfo, PadvFleetInput *input)
{
	PadvFleetNode *nodes;
	Datum	   *texts;
	bool	   *nulls;
	int			count;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &count);
	if (count < 1 || count > PADV_FLEET_MAX_NODES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid number of nodes: %d", count),
				 errhint("Give 1 to %d nodes.", PADV_FLEET_MAX_NODES)));
	nodes = palloc(count * sizeof(PadvFleetNode));
	input->nodes = nodes;
	for (int i = 0; i < count; i++)
	{
		const char *problem = nulls[i] ? "It is null." :
			padv_fleet_parse_node(TextDatumGetCString(texts[i]), &nodes[i]);

		if (problem != NULL)
			refuse_node(i + 1, problem);
		check_node_is_new(input, nodes[i].name);
		input->nnodes++;
	}
}

/* The columns of a view here; false when this version does not have the view. */
static bool
read_view(Oid namespace, const char *name, PadvFleetView *view)
{
	Oid			oid = get_relname_relid(name, namespace);
	Relation	relation;
	PadvFleetColumn *columns;

	relation = OidIsValid(oid) ? try_relation_open(oid, AccessShareLock) : NULL;
	if (relation == NULL)
		return false;
	columns = palloc(relation->rd_att->natts * sizeof(PadvFleetColumn));
	*view = (PadvFleetView) {.name = name, .columns = columns};
	for (int i = 0; i < relation->rd_att->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(relation->rd_att, i);

		if (attribute->attisdropped)
			continue;
		columns[view->ncolumns++] = (PadvFleetColumn) {
			pstrdup(NameStr(attribute->attname)),
			format_type_extended(attribute->atttypid, attribute->atttypmod,
								 FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY)};
	}
	relation_close(relation, AccessShareLock);
	return view->ncolumns > 0;
}

static void
read_views(PadvFleetInput *input)
{
	Oid			namespace = get_namespace_oid("pool_advisor", false);
	PadvFleetView *views = palloc(PADV_FLEET_VIEWS * sizeof(PadvFleetView));

	input->views = views;
	for (int i = 0; i < PADV_FLEET_VIEWS; i++)
		if (read_view(namespace, padv_fleet_views[i], &views[input->nviews]))
			input->nviews++;
}

/*
 * fleet_config(engine, nodes)
 */
Datum
pool_advisor_fleet_config(PG_FUNCTION_ARGS)
{
	StringInfoData result;
	PadvConfigWriter writer = {append_fleet_text, &result};
	PadvFleetInput input = {0};
	const PadvFleetEngine *engine;

	padv_require_preloaded();
	padv_check_not_null(fcinfo, 0, "engine");
	padv_check_not_null(fcinfo, 1, "nodes");
	engine = check_engine(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	read_nodes(fcinfo, &input);
	read_views(&input);
	initStringInfo(&result);
	engine->write(&writer, &input);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(result.data, result.len));
}
