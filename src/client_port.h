/*
 * client_port.h
 *		PostgreSQL's declarations of a client's connection and the authentication hook.
 *
 * Include it first after postgres.h.  In a server with GSSAPI the header libpq-be.h includes
 * those of Kerberos, for the type of one pointer that is not used here.  Without
 * ENABLE_GSS it declares a pointer of the same size.  So the headers of Kerberos need not
 * be installed.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CLIENT_PORT_H
#define PADV_CLIENT_PORT_H

#undef ENABLE_GSS
#include "libpq/auth.h"
#include "libpq/libpq-be.h"

#endif							/* PADV_CLIENT_PORT_H */
