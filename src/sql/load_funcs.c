/*
 * load_funcs.c
 *		SQL function with a row for each period, dimension and key of the load.
 *
 * Copies the published intervals out, adds them up, and gives names to keys.  Never waits for
 * the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "compat.h"
#include "shmem/load_shmem.h"
#include "shmem/status_shmem.h"
#include "sql/load_rows.h"
#include "sql/rows.h"
#include "sql/server_status.h"

PG_FUNCTION_INFO_V1(pool_advisor_load);

/* Add the keys of an interval. */
static void
collect_slot(PadvLoadRead *read, const PadvLoadSlot *slot, int room[PADV_DIMENSIONS])
{
	padv_load_total_add(&read->total, slot);
	for (int i = 0; i < PADV_DIMENSIONS; i++)
	{
		if (slot->count[i] == 0)
			continue;
		if (read->count[i] + slot->count[i] > room[i])
		{
			room[i] = Max(2 * room[i], 2 * PADV_LOAD_KEPT);
			read->keys[i] = read->count[i] == 0 ? palloc(mul_size(room[i], sizeof(PadvLoadKey))) :
				repalloc(read->keys[i], mul_size(room[i], sizeof(PadvLoadKey)));
		}
		memcpy(read->keys[i] + read->count[i], slot->keys[i], slot->count[i] * sizeof(PadvLoadKey));
		read->count[i] += slot->count[i];
	}
}

void
padv_read_load(PadvLoadPeriod period, PadvLoadRead *read)
{
	PadvLoadStretch stretches[PADV_LOAD_LEVELS];
	int			room[PADV_DIMENSIONS] = {0};
	int			count = padv_load_cover(period, padv_load_head(), stretches);
	PadvLoadSlot *slot = palloc(sizeof(PadvLoadSlot));

	memset(read, 0, sizeof(*read));
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < stretches[i].count; j++)
			if (padv_load_read(stretches[i].level, stretches[i].first + j, slot))
				collect_slot(read, slot, room);
	}
	pfree(slot);
}

const char *
padv_load_key_name(PadvDimension dimension, const PadvLoadRow *row)
{
	char		name[PADV_KEY_NAME];
	char	   *database;

	if (row->others)
		return "(others)";
	if (row->key == 0)
		return "(none)";
	switch (dimension)
	{
		case PADV_DIMENSION_ROLE:
			return padv_role_name((Oid) row->key);
		case PADV_DIMENSION_DATABASE:
			database = get_database_name((Oid) row->key);
			return database ? database : psprintf("unknown (OID=%u)", (Oid) row->key);
		case PADV_DIMENSION_APPLICATION:
		case PADV_DIMENSION_CLIENT:
			return padv_load_read_name(row->key, name) ? pstrdup(name) : "(unknown)";
		case PADV_DIMENSION_QUERY:
			return psprintf(INT64_FORMAT, (int64) row->key);
	}
	return "";
}

static void
store_load(FunctionCallInfo fcinfo, PadvLoadPeriod period, PadvDimension dimension, const PadvLoadRow *load)
{
	PadvRow		row = {0};

	padv_row_text(&row, padv_load_period_name(period));
	padv_row_text(&row, padv_dimension_name(dimension));
	padv_row_text(&row, padv_load_key_name(dimension, load));
	padv_row_rounded(&row, load->active_avg);
	for (int class = 0; class < PADV_WAIT_CLASSES; class++)
		padv_row_rounded(&row, load->in_class[class]);
	padv_row_rounded(&row, load->blame);
	padv_row_store(&row, fcinfo);
}

/*
 * A row for each period, dimension and key.
 */
Datum
pool_advisor_load(PG_FUNCTION_ARGS)
{
	PadvLoadRow *rows;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	rows = palloc(PADV_LOAD_ROWS * sizeof(PadvLoadRow));
	for (PadvLoadPeriod period = 0; period < PADV_LOAD_PERIODS; period++)
	{
		PadvLoadRead read;

		padv_read_load(period, &read);
		for (PadvDimension dimension = 0; dimension < PADV_DIMENSIONS; dimension++)
		{
			int			count = padv_load_rows(&read.total, read.keys[dimension], read.count[dimension], rows);

			for (int i = 0; i < count; i++)
				store_load(fcinfo, period, dimension, &rows[i]);
			if (read.keys[dimension])
				pfree(read.keys[dimension]);
		}
	}
	return (Datum) 0;
}
