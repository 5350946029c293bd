/**
 * The parameters of a box's code, which lie right before it. The same list is at the head of
 * `start_x86_64.S` and `start_aarch64.S`.
 *
 * @module
 */

/** What the code has to know of its box; an address of 0 stands for nothing. */
export interface Parameters {
  /** The address of the table, and its size. */
  readonly table: number;
  readonly tableSize: number;
  /** The address of the packed table. */
  readonly packed: number;
  /** The offset of the container's pid in the table. */
  readonly pid: number;
  /** The offset of the result of the launcher's last call, which is 0 in the container. */
  readonly mine: number;
  /** Addresses of lists of offsets at which the caller's ids go in ten digits, with 0 at the end. */
  readonly uids: number;
  readonly gids: number;
  /** The address of the packed texts, and the one that they are unpacked to. */
  readonly texts: number;
  readonly textsAt: number;
  /** The address of the names of errnos, behind the texts. */
  readonly errnos: number;
  /** The address of how the variables begin that are kept, and of those that are set. */
  readonly kept: number;
  readonly set: number;
  readonly setCount: number;
  /** The address of the program and its first arguments. */
  readonly program: number;
  readonly programCount: number;
  /** The sum of {@linkcode FLAGS}. */
  readonly flags: number;
  /** The address of the offsets of three words: whether a stream is /dev/null. */
  readonly nulls: number;
  /** The address of 24 bytes: what is known of the copies of streams, and of the program's time. */
  readonly copies: number;
  /** The address of the code that looks at the standard streams. */
  readonly streams: number;
  /** The address of pairs of offsets: of a call that looks at an answer, and of its errno. */
  readonly answers: number;
  /** The address of the offsets for the launcher's pid. */
  readonly pids: number;
  /** The offset of the first record that comes when all is over, or 0. */
  readonly after: number;
}

/** What a box is like. */
export const FLAGS = {
  /** The environment is cleared. */
  clears: 1,
  /** The program has no part in the signals of the terminal. */
  ownSession: 2,
  /** It is for root alone. */
  forRoot: 4,
  /** A process of the container has memory of its own. */
  shared: 16,
} as const;

/** The size of the parameters in bytes. */
export const PARAMETERS_SIZE = 88;

/** Returns the parameters as the code reads them. */
export function parameterBytes(parameters: Parameters): Uint8Array {
  const { table, tableSize, packed, pid, mine, uids, gids, texts, textsAt, errnos } = parameters;
  const { kept, set, setCount, program, programCount, flags, nulls, copies, streams, answers } =
    parameters;
  const { pids, after } = parameters;
  const words = Uint32Array.of(
    ...[table, tableSize, packed, pid, mine, uids, gids, texts, textsAt, errnos],
    ...[kept, set, setCount, program, programCount, flags, nulls, copies, streams, answers],
    ...[pids, after],
  );
  return new Uint8Array(words.buffer);
}
