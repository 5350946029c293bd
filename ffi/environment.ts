/**
 * The environment of this process as libc has it, with the changes of `Deno.env.set`. Reading it from
 * libc needs only `--allow-ffi`.
 *
 * @module
 */

import { engine } from "./engine/engine.ts";

const encoder = new TextEncoder();

/** The value of a variable, if it is set. */
export function environmentVariable(name: string): string | undefined {
  const value = engine().libc.getenv.call(encoder.encode(`${name}\0`));
  return value === null ? undefined : Deno.UnsafePointerView.getCString(value);
}

/** The addresses of the strings of this process's environment. */
export type EnvironmentStrings = readonly bigint[];

/** Returns this process's environment as it is now. A changed string has another address. */
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
 * The strings that a program is passed on, where some variables are set anew. They are passed on by
 * their addresses, so their bytes need not be UTF-8.
 */
export function inheritedStrings(
  strings: EnvironmentStrings,
  changes: ReadonlyMap<string, string>,
): EnvironmentStrings {
  if (changes.size === 0 || strings.length === 0) return strings;
  return strings.filter((address) => !changes.has(nameAt(address)));
}

/** The name of the variable in a string of the environment. */
export function nameAt(address: bigint): string {
  const text = stringAt(address);
  return text.slice(0, text.indexOf("="));
}

/** A string of the environment: `NAME=VALUE`. */
export function stringAt(address: bigint): string {
  return Deno.UnsafePointerView.getCString(Deno.UnsafePointer.create(address)!);
}

/** The current address of the list, which `setenv` may move. */
function environ(): Deno.PointerValue {
  const variable = new Deno.UnsafePointerView(engine().libc.environ);
  return Deno.UnsafePointer.create(variable.getBigUint64());
}

/** The bytes of a string of the environment, with the NUL at its end. */
export function stringBytes(address: bigint): Uint8Array<ArrayBuffer> {
  const text = stringAt(address);
  // What is not UTF-8 reads as this letter.
  if (!text.includes("\ufffd")) return encoder.encode(`${text}\0`);
  const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)!);
  let length = 0;
  while (view.getUint8(length) !== 0) length++;
  return Uint8Array.from({ length: length + 1 }, (_, index) => view.getUint8(index));
}
