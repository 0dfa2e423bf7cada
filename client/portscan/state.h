/*
 * state - what the result of a connect(2) tells about a port.
 */
#ifndef CLIENT_PORTSCAN_STATE_H
#define CLIENT_PORTSCAN_STATE_H

enum scan_state { SCAN_UNKNOWN, SCAN_OPEN, SCAN_CLOSED, SCAN_FILTERED, SCAN_STATES };

/** "open", "closed", "filtered", "unknown" */
const char *scan_state_name(enum scan_state state);

/** The state of a port for the result @p error of connecting to it (0: established). */
enum scan_state scan_state_of(int error);

/** Why a port counts as filtered: "no answer", "host unreachable" ... */
const char *scan_reason(int error);

#endif
