/*
 * fleet_config.c
 *		A hub that shows several servers: views over postgres_fdw or PL/Proxy.
 *
 * Owns the SQL that is printed.  Pure; the SQL function fleet_config() joins the pieces.
 *
 * A view asks each node in turn, inside an exception block, so a node that does not answer
 * is a row.  All figures of a node travel as one jsonb value, for two reasons: one function
 * serves all views, and a node that fails halfway leaves no rows behind.  What failed is
 * noted in a table, and the node is left alone for ten times as long as the failure took,
 * and 10 s at least.  A transaction that cannot write notes nothing.
 *
 * Every name is qualified, because the search_path is that of the role that runs it.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <stdio.h>
#include <string.h>

#include "core/monitoring/fleet_config.h"
#include "core/text/names.h"

#define put padv_config_put

const char *const padv_fleet_views[PADV_FLEET_VIEWS] = {
	"status", "advice", "roles", "limits", "gate", "pools",
};

/* --- pieces of SQL -------------------------------------------------------- */

/* Put text, with each character of `doubled` twice. */
static void
put_doubled(const PadvConfigWriter *writer, const char *text, const char *doubled)
{
	for (; *text != '\0'; text++)
	{
		char		piece[3] = {*text, '\0', '\0'};

		if (strchr(doubled, *text) != NULL)
			piece[1] = *text;
		put(writer, piece);
	}
}

static void
put_quoted(const PadvConfigWriter *writer, const char *prefix, const char *name)
{
	put(writer, "\"");
	put_doubled(writer, prefix, "\"");
	put_doubled(writer, name, "\"");
	put(writer, "\"");
}

static void
put_literal(const PadvConfigWriter *writer, const char *text)
{
	put(writer, strchr(text, '\\') != NULL ? "E'" : "'");
	put_doubled(writer, text, "'\\");
	put(writer, "'");
}

static void
put_server(const PadvConfigWriter *writer, const PadvFleetNode *node)
{
	put_quoted(writer, "pool_advisor_fleet_", node->name);
}

/* The table that has the columns of a view. */
static void
put_row_type(const PadvConfigWriter *writer, const PadvFleetView *view)
{
	put(writer, "pool_advisor_fleet.");
	put_quoted(writer, "_", view->name);
}

static bool
has_jobs(const PadvFleetInput *input)
{
	return input->nnodes > PADV_FLEET_MAX_DIRECT;
}

/* --- what both engines have ----------------------------------------------- */

/*
 * Drop what an earlier run has made.  The owner of the database can have made a schema
 * pool_advisor_fleet or cron, and a superuser runs this.  So nothing is called in cron unless
 * its table is of the extension, and no ordinary role owns the schema or the functions.
 */
static const char clear_begin[] =
";\n"
"\n"
"DO $do$\n"
"DECLARE\n"
"    server pg_catalog.name;\n"
"    has_cron pg_catalog.bool := EXISTS (\n"
"        SELECT FROM pg_catalog.pg_extension AS e\n"
"            JOIN pg_catalog.pg_depend AS d ON d.refobjid OPERATOR(pg_catalog.=) e.oid\n"
"            JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) d.objid\n"
"            JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace\n"
"            JOIN pg_catalog.pg_roles AS o ON o.oid OPERATOR(pg_catalog.=) n.nspowner\n"
"        WHERE e.extname OPERATOR(pg_catalog.=) 'pg_cron' AND d.deptype OPERATOR(pg_catalog.=) 'e'\n"
"            AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass\n"
"            AND d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass\n"
"            AND n.nspname OPERATOR(pg_catalog.=) 'cron' AND c.relname OPERATOR(pg_catalog.=) 'job' AND o.rolsuper\n"
"            AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc AS p\n"
"                                JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) p.proowner\n"
"                            WHERE p.pronamespace OPERATOR(pg_catalog.=) n.oid AND NOT r.rolsuper));\n"
"BEGIN\n"
"    IF EXISTS (SELECT FROM pg_catalog.pg_namespace AS n\n"
"                   JOIN pg_catalog.pg_roles AS o ON o.oid OPERATOR(pg_catalog.=) n.nspowner\n"
"               WHERE n.nspname OPERATOR(pg_catalog.=) 'pool_advisor_fleet'\n"
"                   AND (NOT o.rolsuper OR COALESCE(pg_catalog.obj_description(n.oid, 'pg_namespace'), '')\n"
"                       OPERATOR(pg_catalog.!~) '^views of several servers')) THEN\n"
"        RAISE EXCEPTION USING ERRCODE = 'duplicate_schema',\n"
"            MESSAGE = 'schema \"pool_advisor_fleet\" is there already, and fleet_config() has not made it',\n"
"            HINT = 'Drop it, or give it another name.';\n"
"    END IF;\n"
"    DROP SCHEMA IF EXISTS pool_advisor_fleet CASCADE;\n"
"    FOR server IN SELECT s.srvname FROM pg_catalog.pg_foreign_server AS s\n"
"                  WHERE pg_catalog.starts_with(s.srvname::pg_catalog.text, 'pool_advisor_fleet_') LOOP\n"
"        EXECUTE pg_catalog.format('DROP SERVER %I CASCADE', server);\n"
"    END LOOP;\n";

static const char clear_jobs[] =
"    IF has_cron THEN\n"
"        PERFORM cron.unschedule(j.jobid::pg_catalog.int8) FROM cron.job AS j\n"
"            WHERE pg_catalog.starts_with(j.jobname::pg_catalog.text, 'pool_advisor_fleet_');\n";

static const char need_jobs[] =
"    ELSE\n"
"        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',\n"
"            MESSAGE = 'extension \"pg_cron\" is not installed in this database',\n"
"            DETAIL = 'Jobs of pg_cron read this many nodes. A schema \"cron\" that has objects of ordinary roles is not used.',\n"
"            HINT = 'Run CREATE EXTENSION pg_cron in the database that cron.database_name names, and run this there.';\n";

static void
put_head(const PadvConfigWriter *writer, const PadvFleetInput *input, const char *engine)
{
	put(writer,
		"-- The hub of a fleet: run this on one server, in one database, as a superuser.\n"
		"-- It makes the schema pool_advisor_fleet anew: run it again when the nodes change.\n"
		"-- What was built on its views is dropped with them.\n"
		"--\n"
		"-- Each node has the extension, and a role that reads it:\n"
		"--   CREATE ROLE monitoring LOGIN; GRANT pg_monitor TO monitoring;\n");
	if (has_jobs(input))
		put(writer,
			"--\n"
			"-- With this many nodes pg_cron reads them once a minute, and the views show what was read.\n"
			"-- Run this in the database that cron.database_name names, after CREATE EXTENSION pg_cron.\n");
	put(writer,
		"BEGIN;\n"
		"SET LOCAL client_min_messages = warning;\n"
		"CREATE EXTENSION IF NOT EXISTS ");
	put(writer, engine);
	put(writer, clear_begin);
	put(writer, clear_jobs);
	if (has_jobs(input))
		put(writer, need_jobs);
	put(writer,
		"    END IF;\n"
		"END $do$;\n"
		"\n"
		"CREATE SCHEMA pool_advisor_fleet;\n"
		"COMMENT ON SCHEMA pool_advisor_fleet IS 'views of several servers, made by fleet_config() of pool_advisor';\n"
		"GRANT USAGE ON SCHEMA pool_advisor_fleet TO pg_monitor;\n"
		"\n");
}

/* The table of nodes: for PL/Proxy it also has their connection strings. */
static void
put_nodes_table(const PadvConfigWriter *writer, bool with_connection)
{
	put(writer,
		"-- Reading a node that fails notes it here; it is asked again after retry_at, or when the clock was set back.\n"
		"CREATE TABLE pool_advisor_fleet.nodes (\n"
		"    place pg_catalog.int4 NOT NULL,\n"
		"    name pg_catalog.text PRIMARY KEY,\n");
	if (with_connection)
		put(writer, "    connection pg_catalog.text NOT NULL,\n");
	put(writer,
		"    error pg_catalog.text,\n"
		"    noted_at pg_catalog.timestamptz NOT NULL DEFAULT '-infinity',\n"
		"    retry_at pg_catalog.timestamptz NOT NULL DEFAULT '-infinity'\n"
		");\n"
		"REVOKE ALL ON pool_advisor_fleet.nodes FROM PUBLIC;\n"
		"COMMENT ON TABLE pool_advisor_fleet.nodes IS 'nodes of the fleet, and which of them failed lately';\n");
}

static void
put_row_types(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	put(writer, "\n-- The columns of the views of pool_advisor.\n");
	for (const PadvFleetView *view = input->views; view < input->views + input->nviews; view++)
	{
		put(writer, "CREATE TABLE ");
		put_row_type(writer, view);
		put(writer, " (\n");
		for (int i = 0; i < view->ncolumns; i++)
		{
			put(writer, "    ");
			put_quoted(writer, "", view->columns[i].name);
			put(writer, " ");
			put(writer, view->columns[i].type);
			put(writer, i + 1 < view->ncolumns ? ",\n" : "\n);\n");
		}
		put(writer, "REVOKE ALL ON ");
		put_row_type(writer, view);
		put(writer, " FROM PUBLIC;\n");
	}
}

/*
 * _read(), around the statement that gets the figures of a view.  `remote` is a regular
 * expression: what an error of a node has in its message or context, in every language.
 */
static void
put_read_function(const PadvConfigWriter *writer, const char *statement, const char *remote)
{
	put(writer,
		"\n"
		"-- The figures of a node, or why there are none.\n"
		"CREATE FUNCTION pool_advisor_fleet._read(node pg_catalog.text, what pg_catalog.text,\n"
		"    OUT reachable pg_catalog.bool, OUT error pg_catalog.text, OUT figures pg_catalog.jsonb)\n"
		"RETURNS record LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp\n"
		"AS $function$\n"
		"DECLARE\n"
		"    detail text;\n"
		"    context text;\n"
		"BEGIN\n");
	put(writer, statement);
	put(writer,
		"    figures := coalesce(figures, '[]');\n"
		"    reachable := true;\n"
		"EXCEPTION\n"
		"    WHEN query_canceled THEN\n"
		"        -- a timeout of the node is its failure; one of this server ends the query\n"
		"        GET STACKED DIAGNOSTICS error = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT;\n"
		"        IF concat(error, context) !~ '");
	put(writer, remote);
	put(writer,
		"' THEN\n"
		"            RAISE;\n"
		"        END IF;\n"
		"        reachable := false;\n"
		"        figures := '[{}]';\n"
		"    WHEN OTHERS THEN\n"
		"        GET STACKED DIAGNOSTICS error = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;\n"
		"        error := translate(concat_ws(': ', error, nullif(detail, '')), E'\\n\\t', '  ');\n"
		"        reachable := false;\n"
		"        figures := '[{}]';\n"
		"END $function$;\n"
		"REVOKE ALL ON FUNCTION pool_advisor_fleet._read(pg_catalog.text, pg_catalog.text) FROM PUBLIC;\n");
}

/* _ask(), which reads the nodes one after the other. */
static const char ask_directly[] =
"\n"
"-- A row for each node, with its rows of a view as figures.\n"
"CREATE FUNCTION pool_advisor_fleet._ask(what pg_catalog.text,\n"
"    OUT node pg_catalog.text, OUT reachable pg_catalog.bool, OUT age_seconds pg_catalog.float8,\n"
"    OUT error pg_catalog.text, OUT figures pg_catalog.jsonb)\n"
"RETURNS SETOF record LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp\n"
"AS $function$\n"
"DECLARE\n"
"    known record;\n"
"    started timestamptz;\n"
"BEGIN\n"
"    IF to_regclass('pool_advisor_fleet.' || quote_ident('_' || what)) IS NULL THEN\n"
"        RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = 'the fleet has no view of this name';\n"
"    END IF;\n"
"    FOR known IN SELECT n.name, n.error, n.noted_at, n.retry_at FROM pool_advisor_fleet.nodes AS n ORDER BY n.place LOOP\n"
"        node := known.name;\n"
"        started := clock_timestamp();\n"
"        IF started >= known.noted_at AND started < known.retry_at THEN\n"
"            reachable := false;\n"
"            error := known.error;\n"
"            figures := '[{}]';\n"
"        ELSE\n"
"            SELECT r.reachable, r.error, r.figures INTO reachable, error, figures\n"
"            FROM pool_advisor_fleet._read(node, what) AS r;\n"
"            IF NOT reachable AND NOT current_setting('transaction_read_only')::bool THEN\n"
"                PERFORM pool_advisor_fleet._note(node, error, clock_timestamp() - started);\n"
"            END IF;\n"
"        END IF;\n"
"        age_seconds := CASE WHEN reachable THEN 0.0 END;\n"
"        RETURN NEXT;\n"
"    END LOOP;\n"
"END $function$;\n"
"REVOKE ALL ON FUNCTION pool_advisor_fleet._ask(pg_catalog.text) FROM PUBLIC;\n"
"GRANT EXECUTE ON FUNCTION pool_advisor_fleet._ask(pg_catalog.text) TO pg_monitor;\n";

static const char note_function[] =
"\n"
"-- Note a failure. A session that notes the same node is not waited for, nor is a conflict with it an error.\n"
"CREATE FUNCTION pool_advisor_fleet._note(node pg_catalog.text, why pg_catalog.text, took pg_catalog.interval)\n"
"RETURNS pg_catalog.void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp\n"
"AS $function$\n"
"BEGIN\n"
"    UPDATE pool_advisor_fleet.nodes AS n\n"
"    SET error = why, noted_at = clock_timestamp(), retry_at = clock_timestamp() + greatest(interval '10 s', 10 * took)\n"
"    WHERE n.name = (SELECT free.name FROM pool_advisor_fleet.nodes AS free\n"
"                    WHERE free.name = node FOR UPDATE SKIP LOCKED);\n"
"EXCEPTION\n"
"    WHEN serialization_failure THEN\n"
"        NULL;\n"
"END $function$;\n"
"REVOKE ALL ON FUNCTION pool_advisor_fleet._note(pg_catalog.text, pg_catalog.text, pg_catalog.interval) FROM PUBLIC;\n";

/* The same where jobs read the nodes. */
static const char ask_pulled[] =
"\n"
"-- What the jobs have read. figures of a node that failed are those of no row.\n"
"CREATE TABLE pool_advisor_fleet.pulled (\n"
"    node pg_catalog.text NOT NULL,\n"
"    what pg_catalog.text NOT NULL,\n"
"    reachable pg_catalog.bool NOT NULL,\n"
"    read_at pg_catalog.timestamptz,\n"
"    error pg_catalog.text,\n"
"    figures pg_catalog.jsonb NOT NULL,\n"
"    PRIMARY KEY (node, what)\n"
");\n"
"REVOKE ALL ON pool_advisor_fleet.pulled FROM PUBLIC;\n"
"COMMENT ON TABLE pool_advisor_fleet.pulled IS 'what was read from the nodes last, and when that was';\n"
"\n"
"CREATE FUNCTION pool_advisor_fleet._pull(node pg_catalog.text)\n"
"RETURNS pg_catalog.void LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp\n"
"AS $function$\n"
"#variable_conflict use_column\n"
"DECLARE\n"
"    view text;\n"
"    answers bool := true;\n"
"    why text;\n"
"    found jsonb;\n"
"BEGIN\n"
"    FOR view IN SELECT substr(c.relname, 2) FROM pg_class AS c\n"
"                WHERE c.relnamespace = 'pool_advisor_fleet'::regnamespace\n"
"                    AND c.relkind = 'r' AND c.relname ^@ '_' LOOP\n"
"        -- once it has failed it is not asked for more\n"
"        IF answers THEN\n"
"            SELECT r.reachable, r.error, r.figures INTO answers, why, found\n"
"            FROM pool_advisor_fleet._read(_pull.node, view) AS r;\n"
"        END IF;\n"
"        INSERT INTO pool_advisor_fleet.pulled AS p (node, what, reachable, read_at, error, figures)\n"
"        VALUES (_pull.node, view, answers, CASE WHEN answers THEN clock_timestamp() END, why, found)\n"
"        ON CONFLICT (node, what) DO UPDATE\n"
"        SET reachable = excluded.reachable, read_at = coalesce(excluded.read_at, p.read_at),\n"
"            error = excluded.error, figures = excluded.figures;\n"
"    END LOOP;\n"
"END $function$;\n"
"REVOKE ALL ON FUNCTION pool_advisor_fleet._pull(pg_catalog.text) FROM PUBLIC;\n"
"\n"
"-- A row for each node, with its rows of a view as figures.\n"
"CREATE FUNCTION pool_advisor_fleet._ask(what pg_catalog.text,\n"
"    OUT node pg_catalog.text, OUT reachable pg_catalog.bool, OUT age_seconds pg_catalog.float8,\n"
"    OUT error pg_catalog.text, OUT figures pg_catalog.jsonb)\n"
"RETURNS SETOF record LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp\n"
"AS $function$\n"
"    SELECT n.name, coalesce(p.reachable, false), extract(epoch FROM clock_timestamp() - p.read_at)::float8,\n"
"        CASE WHEN p.node IS NULL THEN 'not read yet' ELSE p.error END, coalesce(p.figures, '[{}]')\n"
"    FROM pool_advisor_fleet.nodes AS n\n"
"        LEFT JOIN pool_advisor_fleet.pulled AS p ON p.node = n.name AND p.what = $1\n"
"    ORDER BY n.place\n"
"$function$;\n"
"REVOKE ALL ON FUNCTION pool_advisor_fleet._ask(pg_catalog.text) FROM PUBLIC;\n"
"GRANT EXECUTE ON FUNCTION pool_advisor_fleet._ask(pg_catalog.text) TO pg_monitor;\n";

static void
put_ask_function(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	if (has_jobs(input))
		put(writer, ask_pulled);
	else
	{
		put(writer, note_function);
		put(writer, ask_directly);
	}
}

static void
put_view(const PadvConfigWriter *writer, const PadvFleetView *view)
{
	put(writer, "CREATE VIEW pool_advisor_fleet.");
	put_quoted(writer, "fleet_", view->name);
	put(writer,
		" AS\n"
		"SELECT a.node, a.reachable, a.age_seconds, a.error, r.*\n"
		"FROM pool_advisor_fleet._ask(");
	put_literal(writer, view->name);
	put(writer,
		") AS a\n"
		"    CROSS JOIN LATERAL pg_catalog.jsonb_populate_recordset(NULL::");
	put_row_type(writer, view);
	put(writer, ", a.figures) AS r;\nREVOKE ALL ON pool_advisor_fleet.");
	put_quoted(writer, "fleet_", view->name);
	put(writer, " FROM PUBLIC;\nGRANT SELECT ON pool_advisor_fleet.");
	put_quoted(writer, "fleet_", view->name);
	put(writer, " TO pg_monitor;\nCOMMENT ON VIEW pool_advisor_fleet.");
	put_quoted(writer, "fleet_", view->name);
	put(writer, " IS 'the view ");
	put_doubled(writer, view->name, "'");
	put(writer, " of all nodes; a node that cannot be read has one row without figures';\n");
}

/* Jobs of pg_cron, one for each node, so that a dead node keeps no other waiting. */
static void
put_jobs(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	put(writer, "\n");
	for (const PadvFleetNode *node = input->nodes; node < input->nodes + input->nnodes; node++)
	{
		put(writer, "SELECT cron.schedule('pool_advisor_fleet_");
		put(writer, node->name);
		put(writer, "', '* * * * *', $$SELECT pool_advisor_fleet._pull('");
		put(writer, node->name);
		put(writer, "')$$);\n");
	}
}

static void
put_end(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	put(writer, "\n");
	for (const PadvFleetView *view = input->views; view < input->views + input->nviews; view++)
		put_view(writer, view);
	if (has_jobs(input))
		put_jobs(writer, input);
	put(writer, "COMMIT;\n");
}

/* --- postgres_fdw --------------------------------------------------------- */

/* The options of a server, or those of the user mapping; nothing when there are none. */
static void
put_options(const PadvConfigWriter *writer, const PadvFleetNode *node, bool secret)
{
	const char *before = " OPTIONS (";
	const char *after = "";

	for (int i = 0; i < node->noptions; i++)
	{
		const PadvFleetOption *option = &node->options[i];

		if (padv_fleet_is_secret(option->keyword) != secret)
			continue;
		put(writer, before);
		put(writer, option->keyword);
		put(writer, " ");
		put_literal(writer, option->value);
		before = ", ";
		after = ")";
	}
	put(writer, after);
}

static void
put_foreign_server(const PadvConfigWriter *writer, const PadvFleetNode *node)
{
	put(writer, "CREATE SERVER ");
	put_server(writer, node);
	put(writer, " FOREIGN DATA WRAPPER postgres_fdw");
	put_options(writer, node, false);
	put(writer, ";\nCREATE USER MAPPING FOR CURRENT_USER SERVER ");
	put_server(writer, node);
	put_options(writer, node, true);
	put(writer, ";\n");
}

static void
put_node_row(const PadvConfigWriter *writer, const PadvFleetInput *input, int place)
{
	char		number[16];

	snprintf(number, sizeof(number), "%d", place + 1);
	put(writer, "    (");
	put(writer, number);
	put(writer, ", ");
	put_literal(writer, input->nodes[place].name);
}

/* No name of a node has a colon, so that no other table has the name of a foreign one. */
static void
put_foreign_table(const PadvConfigWriter *writer, const PadvFleetNode *node, const PadvFleetView *view)
{
	char		table[128];

	snprintf(table, sizeof(table), "%s:%s", node->name, view->name);
	put(writer, "CREATE FOREIGN TABLE pool_advisor_fleet.");
	put_quoted(writer, "", table);
	put(writer, " () INHERITS (");
	put_row_type(writer, view);
	put(writer, ")\n    SERVER ");
	put_server(writer, node);
	put(writer, " OPTIONS (schema_name 'pool_advisor', table_name ");
	put_literal(writer, view->name);
	put(writer, ");\n");
}

static void
write_postgres_fdw(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	put_head(writer, input, "postgres_fdw");
	put(writer,
		"-- User and password are in the user mappings, which only the mapped role and superusers can read.\n");
	for (int i = 0; i < input->nnodes; i++)
		put_foreign_server(writer, &input->nodes[i]);
	put(writer, "\n");
	put_nodes_table(writer, false);
	put(writer, "INSERT INTO pool_advisor_fleet.nodes (place, name) VALUES\n");
	for (int i = 0; i < input->nnodes; i++)
	{
		put_node_row(writer, input, i);
		put(writer, i + 1 < input->nnodes ? "),\n" : ");\n");
	}
	put_row_types(writer, input);
	for (int i = 0; i < input->nnodes; i++)
		for (int j = 0; j < input->nviews; j++)
			put_foreign_table(writer, &input->nodes[i], &input->views[j]);
	put_read_function(writer,
					  "    EXECUTE format('SELECT jsonb_agg(t) FROM pool_advisor_fleet.%I AS t', node || ':' || what) INTO figures;\n",
					  "FROM pool_advisor[.]| c[0-9]|START TRANSACTION|SAVEPOINT");
	put_ask_function(writer, input);
	put(writer, padv_fleet_limit_sql);
	put_end(writer, input);
}

/* --- PL/Proxy ------------------------------------------------------------- */

/* The connection string of a node, as a literal: a value is quoted for libpq first. */
static void
put_connection(const PadvConfigWriter *writer, const PadvFleetNode *node)
{
	put(writer, "E'");
	for (int i = 0; i < node->noptions; i++)
	{
		put(writer, i > 0 ? " " : "");
		put(writer, node->options[i].keyword);
		put(writer, "=''");
		for (const char *at = node->options[i].value; *at != '\0'; at++)
		{
			char		piece[2] = {*at, '\0'};

			/* libpq wants one backslash before it, which the literal doubles */
			put(writer, *at == '\'' ? "\\\\''" : *at == '\\' ? "\\\\\\\\" : piece);
		}
		put(writer, "''");
	}
	put(writer, "'");
}

static void
put_proxy_function(const PadvConfigWriter *writer, const PadvFleetView *view)
{
	put(writer, "CREATE FUNCTION pool_advisor_fleet.");
	put_quoted(writer, "_remote_", view->name);
	put(writer,
		"(connection pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plproxy\n"
		"AS $function$ CONNECT connection; SELECT pg_catalog.jsonb_agg(t)::pg_catalog.text FROM pool_advisor.");
	put(writer, view->name);
	put(writer, " AS t; $function$;\nREVOKE ALL ON FUNCTION pool_advisor_fleet.");
	put_quoted(writer, "_remote_", view->name);
	put(writer, "(pg_catalog.text) FROM PUBLIC;\n");
}

static void
write_plproxy(const PadvConfigWriter *writer, const PadvFleetInput *input)
{
	put_head(writer, input, "plproxy");
	put(writer, "-- The connection strings have the passwords, and other roles cannot read the table.\n");
	put_nodes_table(writer, true);
	put(writer, "INSERT INTO pool_advisor_fleet.nodes (place, name, connection) VALUES\n");
	for (int i = 0; i < input->nnodes; i++)
	{
		put_node_row(writer, input, i);
		put(writer, ",\n        ");
		put_connection(writer, &input->nodes[i]);
		put(writer, i + 1 < input->nnodes ? "),\n" : ");\n");
	}
	put_row_types(writer, input);
	for (int i = 0; i < input->nviews; i++)
		put_proxy_function(writer, &input->views[i]);
	put_read_function(writer,
					  "    EXECUTE format('SELECT pool_advisor_fleet.%I(n.connection)::jsonb FROM pool_advisor_fleet.nodes AS n'\n"
					  "        ' WHERE n.name = $1', '_remote_' || what) INTO figures USING node;\n",
					  "REMOTE");
	put_ask_function(writer, input);
	put_end(writer, input);
}

/* --- all of them ---------------------------------------------------------- */

const PadvFleetEngine padv_fleet_engines[] = {
	{"postgres_fdw", write_postgres_fdw},
	{"plproxy", write_plproxy},
	{"prometheus", padv_fleet_write_rules},
	{0}
};

const PadvFleetEngine *
padv_find_fleet_engine(const char *name)
{
	for (const PadvFleetEngine *engine = padv_fleet_engines; engine->name != NULL; engine++)
		if (padv_same_name(engine->name, name))
			return engine;
	return NULL;
}
