/*
 * machine.c
 *		Detection of the machine, and the list of facts.
 *
 * Owns PadvMachine, and the format of a fact.  Other files detect the resources.
 * The worker calls it at its start, once a minute, and after a reload.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include "machine/machine_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Copy a text as one printable line that is not empty; dots mark truncation.  Only
 * ASCII, because the encoding of the reader is not known.
 */
static void
copy_text(char *to, size_t size, const char *text)
{
	size_t		length = 0;

	for (; *text != '\0' && length + 1 < size; text++)
		to[length++] = *text >= ' ' && *text <= '~' ? *text : '?';
	to[length] = '\0';
	if (*text != '\0')
		memcpy(to + size - 4, "...", 4);
	if (length == 0)
		snprintf(to, size, "-");
}

static void
put_fact(PadvFact *entry, const char *fact, const char *value, const char *source)
{
	copy_text(entry->fact, sizeof(entry->fact), fact);
	copy_text(entry->value, sizeof(entry->value), value);
	copy_text(entry->source, sizeof(entry->source), source);
}

void
padv_add_fact(PadvMachine *machine, const char *fact, const char *value,
			  const char *source)
{
	if (machine->nfacts < PADV_MAX_FACTS)
		put_fact(&machine->facts[machine->nfacts++], fact, value, source);
	else
		machine->facts_left_out++;
}

void
padv_add_fact_value(PadvMachine *machine, const char *fact, const char *source,
					const char *format, ...)
{
	char		value[PADV_VALUE];
	va_list		args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	padv_add_fact(machine, fact, value, source);
}

void
padv_shorten(char *to, size_t size, const char *path)
{
	size_t		length = strlen(path);
	size_t		head = (size - 4) / 3;
	size_t		tail = size - 4 - head;

	if (length < size)
		memcpy(to, path, length + 1);
	else
		snprintf(to, size, "%.*s...%s", (int) head, path, path + length - tail);
}

/* Replace the last fact by the number of facts that did not fit. */
static void
add_left_out_fact(PadvMachine *machine)
{
	char		value[32];

	if (machine->facts_left_out == 0)
		return;
	if (machine->nfacts == PADV_MAX_FACTS)
	{
		machine->nfacts--;
		machine->facts_left_out++;
	}
	snprintf(value, sizeof(value), "%d", machine->facts_left_out);
	put_fact(&machine->facts[machine->nfacts++], "facts left out", value,
			 "there is no room to show them; what they say is counted");
}

void
padv_machine_read(PadvMachine *machine, const char *root,
				  const char *data_directory)
{
	PadvCgroup	cgroup;

	memset(machine, 0, sizeof(*machine));
	snprintf(machine->root, sizeof(machine->root), "%s", root);
	padv_read_cgroup(&cgroup, root);
	padv_read_cores(machine, root, &cgroup);
	padv_read_memory(machine, root, &cgroup);
	padv_read_disks(machine, root, data_directory);
	add_left_out_fact(machine);
}
