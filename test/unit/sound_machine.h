/*
 * sound_machine.h
 *		What every answer of padv_machine_read has to be, whatever was read.
 */
#ifndef PADV_SOUND_MACHINE_H
#define PADV_SOUND_MACHINE_H

#include <string.h>

#include "machine/machine.h"

static inline bool
figures_fit(const PadvMachine *m)
{
	return m->logical_cpus >= 1 && m->physical_cores >= 1 &&
		m->physical_cores <= m->logical_cpus && m->allowed_cpus >= 1 &&
		m->allowed_cpus <= m->logical_cpus && m->allowed_cores >= 1 &&
		m->allowed_cores <= m->allowed_cpus && m->cores > 0.0 &&
		m->cores <= m->allowed_cores && m->quota != 0.0 &&
		m->spindles >= 0 && m->spindles <= m->ndisks &&
		m->ndisks <= PADV_MAX_DISKS && (m->memory == -1.0 || m->memory >= 0.0) &&
		(m->page_tables == -1.0 || m->page_tables >= 0.0) && m->nfacts >= 10 &&
		m->nfacts <= PADV_MAX_FACTS;
}

static inline bool
is_printable(const char *text, size_t size)
{
	size_t		length = strnlen(text, size);

	for (size_t i = 0; i < length; i++)
	{
		if (text[i] < ' ' || text[i] > '~')
			return false;
	}
	return length > 0 && length < size;
}

static inline bool
is_sound_machine(const PadvMachine *m)
{
	bool		sound = figures_fit(m);

	for (int i = 0; sound && i < m->nfacts; i++)
	{
		const PadvFact *fact = &m->facts[i];

		sound = is_printable(fact->fact, sizeof(fact->fact)) &&
			is_printable(fact->value, sizeof(fact->value)) &&
			is_printable(fact->source, sizeof(fact->source));
	}
	return sound;
}

#endif							/* PADV_SOUND_MACHINE_H */
