/**
 * The environment of this process as libc has it, `Deno.env.set` included. Reading it this way
 * needs no more than `--allow-ffi`.
 *
 * @module
 */

import { type Pointer, Struct } from "./call.ts";
import { engine } from "./engine/engine.ts";

const encoder = new TextEncoder();

/** The value of a variable, if it is set. */
export function environmentVariable(name: string): string | undefined {
  const value = engine().libc.getenv.call(encoder.encode(`${name}\0`));
  return value === null ? undefined : Deno.UnsafePointerView.getCString(value);
}

/** The strings of this process's environment, by their addresses. */
export type EnvironmentStrings = readonly bigint[];

/** This process's environment as it is now. A string that changes gets another address. */
export function environmentStrings(): EnvironmentStrings {
  const list = environ();
  const addresses: bigint[] = [];
  if (list === null) return addresses;
  const view = new Deno.UnsafePointerView(list);
  for (let offset = 0;; offset += 8) {
    const address = view.getBigUint64(offset);
    if (address === 0n) return addresses;
    addresses.push(address);
  }
}

/**
 * An environment for execve(2): strings of this process's, with changes. What stays is passed on by
 * its address, so its bytes need not be UTF-8.
 */
export function environmentBlock(
  inherited: EnvironmentStrings,
  changes: ReadonlyMap<string, string>,
): Struct {
  const kept = changes.size === 0
    ? inherited
    : inherited.filter((address) => !changes.has(nameAt(address)));
  const added = [...changes].map(([name, value]) => `${name}=${value}`);
  const bytes = new Uint8Array((kept.length + added.length + 1) * 8);
  new BigUint64Array(bytes.buffer).set(kept);
  const pointers: Pointer[] = added.map((to, i) => ({ offset: (kept.length + i) * 8, to }));
  return new Struct(bytes, `[${kept.length + added.length} variables]`, pointers);
}

/** The name of the variable that a string of the environment sets. */
export function nameAt(address: bigint): string {
  const text = stringAt(address);
  return text.slice(0, text.indexOf("="));
}

/** A string of the environment: `NAME=VALUE`. */
export function stringAt(address: bigint): string {
  return Deno.UnsafePointerView.getCString(Deno.UnsafePointer.create(address)!);
}

/** Where the list lies now, as `setenv` moves it. */
function environ(): Deno.PointerValue {
  const variable = new Deno.UnsafePointerView(engine().libc.environ);
  return Deno.UnsafePointer.create(variable.getBigUint64());
}
