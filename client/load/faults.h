/*
 * faults - the faulty clients of a load, beside the honest ones: one thread drives them all.
 */
#ifndef CLIENT_LOAD_FAULTS_H
#define CLIENT_LOAD_FAULTS_H

#include "client/load/worker.h"

struct load_faults;

/** Creates the clients of plan->faults, which has some. The material and the address of
 *  @p shared are known. @return them, for load_faults_destroy(); or NULL with errno
 *  (ENOMEM) */
struct load_faults *load_faults_create(struct load_shared *shared);

/** Start routine of the thread: waits for shared->start, and lets the clients connect and
 *  misbehave until shared->end or shared->over. Takes the faults, returns NULL. */
void *load_faults_run(void *faults);

/** Adds what became of them to result->faults. Only after the thread has ended. */
void load_faults_report(const struct load_faults *faults, struct load_result *result);

/** Frees them. NULL is allowed. */
void load_faults_destroy(struct load_faults *faults);

#endif
