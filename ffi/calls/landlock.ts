/**
 * Restrictions that a process puts on itself. See landlock(7) and linux/landlock.h.
 *
 * @module
 */

import { type Call, call, type Fd, flags, Named, Output, type ResultOf, Struct } from "../call.ts";
import { LANDLOCK_ACCESS_FS, LANDLOCK_ACCESS_NET, LANDLOCK_SCOPE } from "./constants/landlock.ts";

import { words } from "./words.ts";

export * from "./constants/landlock.ts";

const CREATE_RULESET_VERSION = new Named(1, "LANDLOCK_CREATE_RULESET_VERSION");
const RULE_PATH_BENEATH = new Named(1, "LANDLOCK_RULE_PATH_BENEATH");
const RULE_NET_PORT = new Named(2, "LANDLOCK_RULE_NET_PORT");

/** Returns the version of the kernel's Landlock ABI. See landlock_create_ruleset(2). */
export function landlockVersion(): Call {
  return call("landlock_create_ruleset", null, 0, CREATE_RULESET_VERSION);
}

/** What a ruleset denies: struct landlock_ruleset_attr. */
export interface RulesetAttributes {
  /** Rights to files that are denied unless a rule grants them. */
  readonly files: number;
  /** Rights to ports that are denied unless a rule grants them. */
  readonly ports: number;
  /** What is kept within the domain. */
  readonly scopes: number;
}

/** Creates a ruleset. See landlock_create_ruleset(2). */
export function landlock_create_ruleset({ files, ports, scopes }: RulesetAttributes): Call {
  const fields = [files, ports, scopes];
  const text = () =>
    `{${flags(files, LANDLOCK_ACCESS_FS).text}, ${flags(ports, LANDLOCK_ACCESS_NET).text}, ` +
    `${flags(scopes, LANDLOCK_SCOPE).text}}`;
  // Older kernels know only the first fields, and refuse a larger size.
  const known = fields.findLastIndex((field) => field !== 0) + 1;
  const struct = new Struct(words(...fields.slice(0, known)), text);
  return call("landlock_create_ruleset", struct, struct.size, 0);
}

/** Memory for a rule about the files beneath a directory: struct landlock_path_beneath_attr. */
export function pathBeneathOutput(rights: number): Output {
  return new Output(12, `{${flags(rights, LANDLOCK_ACCESS_FS).text}, fd}`);
}

/**
 * Writes such a rule to a pipe, from which it is read back into memory: the descriptor in the rule is
 * not known before the program runs.
 */
export function writePathBeneath(pipe: Fd, rights: number, directory: ResultOf): Call {
  const vector = new DataView(new ArrayBuffer(32));
  vector.setUint32(8, 8, true);
  vector.setUint32(24, 4, true);
  const text = () => `{${flags(rights, LANDLOCK_ACCESS_FS).text}, ${directory.text}}`;
  const struct = new Struct(new Uint8Array(vector.buffer), text, [
    { offset: 0, to: words(rights) },
    { offset: 16, to: directory },
  ]);
  return call("writev", pipe, struct, 2);
}

/** Writes the number of a descriptor, which is not known before the program runs, to a pipe. */
export function writeDescriptor(pipe: Fd, descriptor: ResultOf): Call {
  const vector = new DataView(new ArrayBuffer(16));
  vector.setUint32(8, 4, true);
  const pointer = { offset: 0, to: descriptor };
  return call(
    "writev",
    pipe,
    new Struct(new Uint8Array(vector.buffer), descriptor.text, [pointer]),
    1,
  );
}

/** Adds a rule about the files beneath a directory, or about a file. See landlock_add_rule(2). */
export function addPathBeneath(ruleset: Fd, rule: Output): Call {
  return call("landlock_add_rule", ruleset, RULE_PATH_BENEATH, rule, 0);
}

/** Adds a rule about a TCP port. See landlock_add_rule(2). */
export function addNetPort(ruleset: Fd, rights: number, port: number): Call {
  const text = () => `{${flags(rights, LANDLOCK_ACCESS_NET).text}, ${port}}`;
  return call(
    "landlock_add_rule",
    ruleset,
    RULE_NET_PORT,
    new Struct(words(rights, port), text),
    0,
  );
}

/** Enforces the ruleset on the thread and its future children. See landlock_restrict_self(2). */
export function landlock_restrict_self(ruleset: Fd): Call {
  return call("landlock_restrict_self", ruleset, 0);
}
