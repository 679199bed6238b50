/*
 * encoding.h
 *		Names that can be sent to the client whatever is in them.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_ENCODING_H
#define PADV_ENCODING_H

/*
 * The name with a question mark for each byte that is no text, and for each
 * character that UTF-8 or the client's encoding does not have; changed in place.
 * NULL is NULL.
 */
extern char *padv_clean_name(char *name);

#endif							/* PADV_ENCODING_H */
