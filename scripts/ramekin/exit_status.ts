/**
 * Exit statuses that the shell's programs have too.
 *
 * @module
 */

/** Where the reader of the output has closed its end: that of a program which SIGPIPE has ended. */
export const PIPE_BROKEN = 128 + 13;

/** Where ramekin fails before the program runs, as env(1) has it. */
export const FAILED_BEFORE_PROGRAM = 125;
