/**
 * The values of a specification, which come from a file: each is checked when it is asked for, and an
 * error names the file and the field.
 *
 * @module
 */

import { RecipeError } from "../recipe/errors.ts";
import { isObject } from "../recipe/schema.ts";
import { quoted } from "../recipe/shown.ts";

/** A value with its place: the file, and the keys that lead to it. */
export class Field {
  readonly #value: unknown;
  readonly #place: string;
  readonly #file: string;

  constructor(value: unknown, file: string, place = "") {
    this.#value = value;
    this.#file = file;
    this.#place = place;
  }

  /** Whether it is there. In Go, whose programs write these files, a null is nothing too. */
  get isThere(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  /** Throws an error about it. */
  refuse(why: string): never {
    const at = this.#place === "" ? "" : ` ${this.#place}:`;
    throw new RecipeError(`${this.#file}:${at} ${why}`);
  }

  /**
   * Returns its fields by these names, of which it has no others: what is not known may be what keeps
   * a program in, so the specification has files with other fields refused.
   */
  fields<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, Field>> {
    const value = this.#value ?? {};
    if (!isObject(value)) this.refuse("is not an object");
    const unknown = Object.keys(value).find((name) => !names.includes(name as Name));
    if (unknown !== undefined) this.refuse(`has the unknown field ${quoted(unknown)}`);
    return Object.fromEntries(names.map((name) => {
      const place = this.#place === "" ? name : `${this.#place}.${name}`;
      return [
        name,
        new Field(Object.hasOwn(value, name) ? value[name] : undefined, this.#file, place),
      ];
    })) as Record<Name, Field>;
  }

  /** Returns its items; none where it is missing. */
  items(): readonly Field[] {
    const value = this.#value ?? [];
    if (!Array.isArray(value)) this.refuse("is not a list");
    return value.map((item, index) => new Field(item, this.#file, `${this.#place}[${index}]`));
  }

  /** Returns the string that it is. */
  text(): string {
    if (typeof this.#value !== "string" || this.#value === "") this.refuse("is not a string");
    if (this.#value.includes("\0")) this.refuse("has a NUL byte");
    return this.#value;
  }

  /** Returns the string; `undefined` where it is missing or empty, which is the same in Go. */
  optionalText(): string | undefined {
    return this.#value === "" || !this.isThere ? undefined : this.text();
  }

  /** Returns the whole number that it is; `undefined` where it is missing. */
  optionalNumber(): number | undefined {
    if (!this.isThere) return undefined;
    if (!Number.isSafeInteger(this.#value)) this.refuse("is not a whole number");
    return this.#value as number;
  }

  /** Returns the path that it is, which begins with `/` and has no `..`. */
  path(): string {
    const path = this.text();
    if (!path.startsWith("/")) this.refuse(`${quoted(path)} does not begin with /`);
    if (path.split("/").includes("..")) this.refuse(`${quoted(path)} has a ".."`);
    return path;
  }
}
