/*
 * monitoring_config.h
 *		How a monitoring system is told to read us, as text to paste.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MONITORING_CONFIG_H
#define PADV_MONITORING_CONFIG_H

/* Where the pieces of a text go. */
typedef struct PadvConfigWriter
{
	void		(*emit) (void *arg, const char *text);
	void	   *arg;
} PadvConfigWriter;

typedef struct PadvMonitoringSystem
{
	const char *name;			/* NULL after the last */
	const char *also;			/* another name, or NULL */
	void		(*write) (const PadvConfigWriter *writer);
} PadvMonitoringSystem;

extern const PadvMonitoringSystem padv_monitoring_systems[];

/* By name, however it is written (core/text/names.h); NULL when there is none. */
extern const PadvMonitoringSystem *padv_find_monitoring_system(const char *name);

/* For the files with the texts. */
extern void padv_config_put(const PadvConfigWriter *writer, const char *text);
extern void padv_write_prometheus_rules(const PadvConfigWriter *writer);

#endif							/* PADV_MONITORING_CONFIG_H */
