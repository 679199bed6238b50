/*
 * settings.h
 *		The values of pool_advisor's settings.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_SETTINGS_H
#define PADV_SETTINGS_H

/* What cores and spindles are set to when the machine is to be asked. */
#define PADV_DETECT (-1)

extern int	padv_sample_interval;	/* milliseconds */
extern double padv_connections_per_core;
extern double padv_cores;		/* PADV_DETECT */
extern int	padv_spindles;		/* PADV_DETECT */
extern int	padv_optimal;		/* 0: compute */
extern char *padv_system_root;	/* "" is the real one */

/* Define them all; only while shared_preload_libraries is processed. */
extern void padv_define_settings(void);

#endif							/* PADV_SETTINGS_H */
