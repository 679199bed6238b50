/*
 * client_port.h
 *		A client's connection, and the hook in authentication.
 *
 * Include it first after postgres.h.  Core's header asks for those of Kerberos
 * when the server was built with GSSAPI, for the type of one pointer that is
 * of no use here; without, it declares a pointer of the same size, so that
 * extensions fit.  So they need not be installed.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#ifndef PADV_CLIENT_PORT_H
#define PADV_CLIENT_PORT_H

#undef ENABLE_GSS
#include "libpq/auth.h"
#include "libpq/libpq-be.h"

#endif							/* PADV_CLIENT_PORT_H */
