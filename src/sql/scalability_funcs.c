/*
 * scalability_funcs.c
 *		SQL functions about throughput against concurrency.
 *
 * Copies what the worker published and turns it into rows.  Never waits for
 * the worker and writes nothing.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "postgres.h"

#include "shmem/status_shmem.h"
#include "sql/rows.h"

PG_FUNCTION_INFO_V1(pool_advisor_scalability);
PG_FUNCTION_INFO_V1(pool_advisor_scalability_fit);

/*
 * One row a bin that can be judged, by connections.
 */
Datum
pool_advisor_scalability(PG_FUNCTION_ARGS)
{
	PadvScalabilityRow *bins;
	PadvRow		row = {0};
	int			n;

	padv_require_preloaded();
	InitMaterializedSRF(fcinfo, 0);
	n = padv_status_copy_curve(&bins);
	for (int i = 0; i < n; i++)
	{
		padv_row_rounded(&row, bins[i].connections);
		padv_row_rounded(&row, bins[i].seconds);
		padv_row_rounded(&row, bins[i].throughput);
		padv_row_rounded(&row, bins[i].latency);
		padv_row_known_rounded(&row, bins[i].fitted);
		padv_row_rounded(&row, bins[i].active);
		padv_row_store(&row, fcinfo);
	}
	return (Datum) 0;
}

/*
 * One row.  The parameters are known from three bins on; what they say of a peak
 * only once there is evidence beyond it.
 */
Datum
pool_advisor_scalability_fit(PG_FUNCTION_ARGS)
{
	PadvStatus	status;
	const PadvCurve *curve = &status.model.curve;
	PadvRow		row = {0};
	double		peak = -1.0;

	padv_require_preloaded();
	padv_status_copy(&status);
	if (curve->fit_known && curve->state == PADV_CURVE_FITTED)
		peak = padv_usl_peak(&curve->fit);

	padv_row_add(&row, Float8GetDatum(padv_four_digits(curve->fit.lambda)), !curve->fit_known);
	padv_row_add(&row, Float8GetDatum(padv_four_digits(curve->fit.sigma)), !curve->fit_known);
	padv_row_add(&row, Float8GetDatum(padv_four_digits(curve->fit.kappa)), !curve->fit_known);
	padv_row_known_rounded(&row, peak);
	padv_row_known_rounded(&row, peak < 0.0 ? -1.0 : padv_usl_throughput(&curve->fit, peak));
	padv_row_add(&row, Float8GetDatum(padv_four_digits(curve->fit.r_squared)), !curve->fit_known);
	padv_row_text(&row, padv_curve_state_name(curve->state));
	return padv_row_return(&row, fcinfo);
}
