/*
 * emit.h
 *		Emitting sentences one by one, for the modules that explain, and formatting text
 *		into a buffer.
 *
 * Pure: nothing here allocates or fails.  What does not fit is cut off, before the
 * character that does not.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EMIT_H
#define PADV_EMIT_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text/utf8.h"

/* Bytes of the longest sentence, with the NUL. */
#define PADV_SENTENCE 960

typedef struct PadvEmitter
{
	void		(*emit) (void *arg, const char *sentence);
	void	   *arg;
} PadvEmitter;

/* The sentence is valid while emit runs. */
static inline void
__attribute__((format(printf, 2, 3)))
padv_emit(const PadvEmitter *emitter, const char *format, ...)
{
	char		sentence[PADV_SENTENCE];
	va_list		args;

	va_start(args, format);
	if ((size_t) vsnprintf(sentence, sizeof(sentence), format, args) >= sizeof(sentence))
		padv_utf8_cut(sentence);
	va_end(args);
	emitter->emit(emitter->arg, sentence);
}

/* Append formatted text to the string in a buffer of so many bytes. */
static inline void
__attribute__((format(printf, 3, 4)))
padv_append(char *text, size_t size, const char *format, ...)
{
	size_t		used = strlen(text);
	va_list		args;

	va_start(args, format);
	if ((size_t) vsnprintf(text + used, size - used, format, args) >= size - used)
		padv_utf8_cut(text);
	va_end(args);
}

/* The same for an array; and write it anew, where no argument may be the array itself. */
#define PADV_APPEND(array, ...) padv_append(array, sizeof(array), __VA_ARGS__)
#define PADV_WRITE(array, ...) ((array)[0] = '\0', padv_append(array, sizeof(array), __VA_ARGS__))

#endif							/* PADV_EMIT_H */
