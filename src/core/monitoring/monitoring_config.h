/*
 * monitoring_config.h
 *		Configurations of monitoring systems that read pool_advisor, as text.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_MONITORING_CONFIG_H
#define PADV_MONITORING_CONFIG_H

/* Gets the pieces of a text; a piece is valid while emit runs. */
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

/* The system of this name, compared as in core/text/names.h, or NULL. */
extern const PadvMonitoringSystem *padv_find_monitoring_system(const char *name);

/* For the files that have the texts. */
extern void padv_config_put(const PadvConfigWriter *writer, const char *text);
extern void padv_write_prometheus_rules(const PadvConfigWriter *writer);
extern void padv_write_dashboard(const PadvConfigWriter *writer);

#endif							/* PADV_MONITORING_CONFIG_H */
