/*
 * emit.h
 *		Emitting sentences one by one, for the modules that explain.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_EMIT_H
#define PADV_EMIT_H

#include <stdarg.h>
#include <stdio.h>

/* Bytes of the longest sentence, with the NUL. */
#define PADV_SENTENCE 640

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
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	emitter->emit(emitter->arg, sentence);
}

#endif							/* PADV_EMIT_H */
