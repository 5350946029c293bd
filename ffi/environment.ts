/**
 * The environment of this process as libc has it, with the changes of `Deno.env.set`. Reading it from
 * libc needs only `--allow-ffi`.
 *
 * @module
 */

import { perEngine } from "./engine/per_engine.ts";

const encoder = new TextEncoder();

/** The value of a variable, if it is set. */
export function environmentVariable(name: string): string | undefined {
  return environment().variable(name);
}

/** The addresses of the strings of this process's environment. */
export type EnvironmentStrings = readonly bigint[];

/** Returns this process's environment as it is now. */
export function environmentStrings(): EnvironmentStrings {
  return environment().strings();
}

/**
 * The environment as it was read last. Every launch looks whether it is the same still, which takes a
 * tenth of the time of reading it.
 */
class Environment {
  /** The variable `char **environ`: setenv(3) may move the list. */
  readonly #variable: BigUint64Array;
  #list = 0n;
  /** The memory of the list, up to the null pointer at its end, and what was read there. */
  #memory = new Int32Array(0);
  #words = this.#memory;
  #strings: EnvironmentStrings = [];
  /** Where variables were found. */
  readonly #found = new Map<string, bigint>();

  constructor(variable: Deno.PointerObject) {
    this.#variable = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(variable, 8));
  }

  strings(): EnvironmentStrings {
    if (!this.#isSame()) this.#read();
    return this.#strings;
  }

  variable(name: string): string | undefined {
    const strings = this.strings();
    // The string at an address may be another one: musl frees those that are replaced.
    const known = this.#found.get(name);
    const value = known === undefined ? undefined : valueIn(stringAt(known), name);
    if (value !== undefined) return value;
    for (const address of strings) {
      const found = valueIn(stringAt(address), name);
      if (found === undefined) continue;
      this.#found.set(name, address);
      return found;
    }
    return undefined;
  }

  /** Whether the list has the same addresses. Its end is one: what may lie behind it is not read. */
  #isSame(): boolean {
    if (this.#variable[0] !== this.#list) return false;
    for (let index = 0; index < this.#words.length; index++) {
      if (this.#memory[index] !== this.#words[index]) return false;
    }
    return true;
  }

  #read(): void {
    this.#found.clear();
    this.#list = this.#variable[0]!;
    const list = Deno.UnsafePointer.create(this.#list);
    const addresses: bigint[] = [];
    if (list !== null) {
      const view = new Deno.UnsafePointerView(list);
      for (let address; (address = view.getBigUint64(addresses.length * 8)) !== 0n;) {
        addresses.push(address);
      }
    }
    const size = list === null ? 0 : (addresses.length + 1) * 8;
    const memory = size === 0
      ? new ArrayBuffer(0)
      : Deno.UnsafePointerView.getArrayBuffer(list!, size);
    this.#memory = new Int32Array(memory);
    this.#words = new Int32Array(BigUint64Array.from([...addresses, 0n]).buffer, 0, size / 4);
    this.#strings = addresses;
  }
}

const environment = perEngine(({ libc }) => new Environment(libc.environ));

/** The value in a string of the environment, if it is that of this variable. */
function valueIn(string: string, name: string): string | undefined {
  const isOf = string.startsWith(name) && string[name.length] === "=";
  return isOf ? string.slice(name.length + 1) : undefined;
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
