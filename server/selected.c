/*
 * selected - names the service and the model of one program.
 *
 * The Makefile compiles this file once for each program, for echod-fork with
 * -DSERVICE=echo_service -DMODEL=fork_model. So main.c knows no service and no model, and
 * each of them has a symbol of its own, which lets one test program link all of them. The
 * cost is two pointers.
 */
#include "server/model.h"
#include "server/service.h"

#ifndef SERVICE
#define SERVICE echo_service
#define MODEL   fork_model
#endif

extern const struct service SERVICE;
extern const struct model MODEL;

const struct service *const selected_service = &SERVICE;
const struct model *const selected_model = &MODEL;
