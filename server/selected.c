/*
 * selected - names the one service of a program.
 *
 * The Makefile compiles this file once for each service, with -DSERVICE=echo_service, say. So
 * main.c knows no service, and each service has a symbol of its own: a test can be linked with
 * all of them. It costs one pointer.
 */
#include "server/service.h"

#ifndef SERVICE
#define SERVICE echo_service
#endif

extern const struct service SERVICE;

const struct service *const selected_service = &SERVICE;
