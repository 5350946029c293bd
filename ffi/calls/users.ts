/**
 * Users, groups and capabilities. See credentials(7) and capabilities(7).
 *
 * @module
 */

import { type Call, call, Output, type Slot, Struct } from "../call.ts";
import { CAPABILITIES, type CapabilityName } from "./constants/capabilities.ts";

export * from "./constants/capabilities.ts";

/** The id of a user or a group. */
export type Id = number | Slot;

/** Returns the real user id. See getuid(2). */
export function getuid(): Call {
  return call("getuid");
}

/** Returns the effective user id. See geteuid(2). */
export function geteuid(): Call {
  return call("geteuid");
}

/** Returns the real group id. See getgid(2). */
export function getgid(): Call {
  return call("getgid");
}

/** Returns the effective group id. See getegid(2). */
export function getegid(): Call {
  return call("getegid");
}

/** Memory for one of the three ids that getresuid(2) and getresgid(2) return. */
export function idOutput(text: string): Output {
  return new Output(4, text);
}

/** Returns the real, effective and saved user ids. See getresuid(2). */
export function getresuid(real: Output, effective: Output, saved: Output): Call {
  return call("getresuid", real, effective, saved);
}

/** Returns the real, effective and saved group ids. See getresgid(2). */
export function getresgid(real: Output, effective: Output, saved: Output): Call {
  return call("getresgid", real, effective, saved);
}

/** Sets the real, effective and saved user ids. See setresuid(2). */
export function setresuid(real: Id, effective: Id, saved: Id): Call {
  return call("setresuid", real, effective, saved);
}

/** Sets the real, effective and saved group ids. See setresgid(2). */
export function setresgid(real: Id, effective: Id, saved: Id): Call {
  return call("setresgid", real, effective, saved);
}

/** Sets the supplementary groups. See setgroups(2). */
export function setgroups(groups: readonly number[]): Call {
  if (groups.length === 0) return call("setgroups", 0, null);
  const bytes = new Uint8Array(new Uint32Array(groups).buffer);
  return call("setgroups", groups.length, new Struct(bytes, `[${groups.join(", ")}]`));
}

/** Memory for this many supplementary groups. */
export function groupsOutput(count: number): Output {
  return new Output(count * 4, "&groups");
}

/** Returns the supplementary groups, or with NULL only their count. See getgroups(2). */
export function getgroups(groups: Output | null): Call {
  return call("getgroups", groups === null ? 0 : groups.size / 4, groups);
}

/** The sets of capabilities of a thread. See capset(2). */
export interface CapabilityState {
  /** Those that the kernel checks. */
  readonly effective: readonly CapabilityName[];
  /** Those that can be made effective. */
  readonly permitted: readonly CapabilityName[];
  /** Those that a program inherits if its file has them too. */
  readonly inheritable: readonly CapabilityName[];
}

const SETS = ["effective", "permitted", "inheritable"] as const;
const CAPABILITY_VERSION_3 = 0x20080522;
const HEADER = new Struct(
  new Uint8Array(new Uint32Array([CAPABILITY_VERSION_3, 0]).buffer),
  "{_LINUX_CAPABILITY_VERSION_3, 0}",
);

/** Memory for what capget(2) returns. */
export function capabilityOutput(): Output {
  return new Output(24, "&data");
}

/** Returns the calling thread's capabilities. See capget(2). */
export function capget(data: Output): Call {
  return call("capget", HEADER, data);
}

/** Sets the calling thread's capabilities. See capset(2). */
export function capset(state: CapabilityState): Call {
  const words = new Uint32Array(6);
  SETS.forEach((set, index) => {
    for (const name of state[set]) {
      const bit = CAPABILITIES[name];
      words[index + (bit < 32 ? 0 : 3)]! |= 1 << (bit % 32);
    }
  });
  const text = SETS.map((set) => `${set}=[${state[set].join(", ")}]`).join(", ");
  return call("capset", HEADER, new Struct(new Uint8Array(words.buffer), `{${text}}`));
}

/** What capget(2) returned; capabilities without a name yet are left out. */
export function readCapabilities(data: DataView): CapabilityState {
  const names = (set: number) =>
    (Object.keys(CAPABILITIES) as CapabilityName[]).filter((name) => {
      const bit = CAPABILITIES[name];
      return (data.getUint32((set + (bit < 32 ? 0 : 3)) * 4, true) >>> (bit % 32)) & 1;
    });
  return { effective: names(0), permitted: names(1), inheritable: names(2) };
}
