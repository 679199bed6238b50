/*
 * machine.c
 *		What there is: the parts put together, and the list of facts.
 *
 * Owns PadvMachine as a whole.  Called by the worker, at its start, once a
 * minute and after a reload.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Text for people: one line, printable, and never empty. */
static void
copy_text(char *to, size_t size, const char *text)
{
	size_t		length = 0;

	for (; *text != '\0' && length + 1 < size; text++)
		to[length++] = (unsigned char) *text < ' ' || *text == 127 ||
			(unsigned char) *text >= 128 ? '?' : *text;
	to[length] = '\0';
	if (length == 0)
		snprintf(to, size, "-");
}

void
padv_add_fact(PadvMachine *machine, const char *fact, const char *value,
			  const char *source)
{
	PadvFact   *entry;
	int			left_out = machine->facts_left_out;

	if (machine->nfacts == PADV_MAX_FACTS)
	{
		machine->facts_left_out = ++left_out;
		entry = &machine->facts[PADV_MAX_FACTS - 1];
		copy_text(entry->fact, sizeof(entry->fact), "more facts");
		snprintf(entry->value, sizeof(entry->value), "%d", left_out + 1);
		copy_text(entry->source, sizeof(entry->source), "there is no room to show them");
		return;
	}
	entry = &machine->facts[machine->nfacts++];
	copy_text(entry->fact, sizeof(entry->fact), fact);
	copy_text(entry->value, sizeof(entry->value), value);
	copy_text(entry->source, sizeof(entry->source), source);
}

void
padv_add_fact_value(PadvMachine *machine, const char *fact, const char *source,
					const char *format,...)
{
	char		value[sizeof(machine->facts[0].value)];
	va_list		args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	padv_add_fact(machine, fact, value, source);
}

void
padv_machine_read(PadvMachine *machine, const char *root,
				  const char *data_directory)
{
	PadvCgroup	cgroup;

	memset(machine, 0, sizeof(*machine));
	padv_read_cgroup(&cgroup, root);
	padv_read_cores(machine, root, &cgroup);
	padv_read_disks(machine, root, data_directory);
}
