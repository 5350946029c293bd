/**
 * What a value may be, written once: the check of a value from anywhere, the words for what was
 * expected, and the JSON Schema.
 *
 * @module
 */

import { nearest, suggestion } from "./nearest.ts";
import { quoted, shown } from "./shown.ts";
import { unexpanded } from "./unexpanded.ts";

/** What a value may be. */
export interface Schema {
  /** What is expected, for a message: `"a path that begins with /"`. */
  readonly expected: string;
  /** Whether a field of this schema may be left out. */
  readonly optional: boolean;
  /** The value of a field that is left out, if it has one then. */
  readonly defaultOf?: (fields: Readonly<Record<string, unknown>>) => unknown;
  /** Returns the value as a step has it, where it can be written in another way. */
  readonly read?: (value: unknown) => unknown;
  /** Returns the value of a step as a person would write it, where that is another way. */
  readonly written?: (value: unknown) => unknown;
  /** Reports what is wrong with the value; `undefined` when nothing is. */
  issue(value: unknown): string | undefined;
  /** Returns the JSON Schema, as far as JSON Schema can express it. */
  jsonSchema(): JsonSchema;
}

/** A JSON Schema: see json-schema.org. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema for each field of an object. */
export type Schemas<T> = { readonly [K in keyof T]-?: Schema };

/** A schema that is made of its parts. */
export function schema(
  expected: string,
  issue: (value: unknown) => string | undefined,
  jsonSchema: () => JsonSchema = () => ({}),
): Schema {
  return { expected, optional: false, issue, jsonSchema };
}

/** Returns a function that calls `make` when it is first called, and keeps the value. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The schema, but a field of it may be left out. */
export function optional(schema: Schema): Schema {
  return { ...schema, optional: true };
}

/** The schema of a field that has this value where it is left out. */
export function withDefault(schema: Schema, value: unknown): Schema {
  return {
    ...schema,
    optional: true,
    defaultOf: () => value,
    jsonSchema: () => ({ ...schema.jsonSchema(), default: value }),
  };
}

/** The schema of a field that has the value of another one where it is left out. */
export function withDefaultOf(schema: Schema, other: string): Schema {
  return { ...schema, optional: true, defaultOf: (fields) => fields[other] };
}

/** Returns the object with the values of the fields that are left out, and all as steps have them. */
export function withDefaults(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Schema>>,
): Readonly<Record<string, unknown>> {
  let whole: Record<string, unknown> | undefined;
  for (const name in fields) {
    const { defaultOf, read } = fields[name]!;
    const isGiven = Object.hasOwn(value, name) && value[name] !== undefined;
    const complete = isGiven ? read && (() => read(value[name])) : defaultOf;
    if (complete === undefined) continue;
    whole ??= { ...value };
    whole[name] = complete(whole);
  }
  return whole ?? value;
}

/** What a string has to be, beside one without NUL bytes. */
export interface TextRules {
  /** What is expected, where it is more than a string. */
  readonly expected?: string;
  /** The least number of bytes. */
  readonly min?: number;
  /** The greatest number of bytes in UTF-8. */
  readonly max?: number;
  /** A regular expression, for the JSON Schema alone. */
  readonly pattern?: string;
  /** Reports what is wrong with a string that keeps the other rules. */
  readonly issue?: (text: string) => string | undefined;
}

/** A string without NUL bytes that keeps these rules. */
export function text(rules: TextRules = {}): Schema {
  const { expected = "a string", min = 0, max = Infinity, pattern, issue } = rules;
  return schema(
    expected,
    (value) => {
      if (typeof value !== "string") return mismatch(value, "a string");
      if (value.includes("\0")) return "has a NUL byte, which a string for the kernel cannot have";
      if (value.length < min) return "is empty";
      // No UTF-16 unit takes more than three bytes, so that most strings need not be encoded.
      if (value.length * 3 > max) {
        const size = new TextEncoder().encode(value).length;
        if (size > max) return `has ${size} bytes; the kernel takes at most ${max}`;
      }
      return issue?.(value);
    },
    () => ({
      type: "string",
      ...(min > 0 && { minLength: min }),
      ...(max < Infinity && { maxLength: max }),
      ...(pattern !== undefined && { pattern }),
    }),
  );
}

/** Any string: what a file holds. */
export function content(): Schema {
  return schema(
    "a string",
    (value) => typeof value === "string" ? undefined : mismatch(value, "a string"),
    () => ({ type: "string" }),
  );
}

/** The name of an environment variable. */
export function variableName(): Schema {
  return text({
    expected: "the name of a variable",
    min: 1,
    pattern: "^[^=]+$",
    issue: (name) => name.includes("=") ? `a name must not contain "="` : undefined,
  });
}

/** The kernel's PATH_MAX, without the NUL at the end. */
const PATH_BYTES = 4095;

/** A path, relative or absolute. */
export function path(): Schema {
  return text({ expected: "a path", min: 1, max: PATH_BYTES });
}

/** A path that begins with `/` and has no `..`, so that its place is known before anything runs. */
export function absolutePath(issue?: (path: string) => string | undefined): Schema {
  return text({
    expected: "a path that begins with /",
    min: 1,
    max: PATH_BYTES,
    pattern: "^/(?!(.*/)?\\.\\.(/|$))",
    issue(path) {
      if (!path.startsWith("/")) return `${quoted(path)} has to begin with /${unexpanded(path)}`;
      if (path.includes("..") && path.split("/").includes("..")) {
        return `${quoted(path)} must not contain ".."`;
      }
      return issue?.(path);
    },
  });
}

/** A whole number from `min` to `max`. */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Schema {
  const expected = max === Number.MAX_SAFE_INTEGER
    ? `a whole number, ${min} or more`
    : `a whole number from ${min} to ${max}`;
  return schema(
    expected,
    (value) => {
      if (typeof value !== "number" || !Number.isInteger(value)) return mismatch(value, expected);
      return value < min || value > max ? `${value} is not ${expected}` : undefined;
    },
    () => ({ type: "integer", minimum: min, maximum: max }),
  );
}

/** A user or group id; -1 (4294967295) means none to the kernel. */
export function id(): Schema {
  return integer(0, 0xffff_fffe);
}

/**
 * A file mode's permission bits. Octal numbers that were written without `0o` are refused: 755 is
 * 0o1363, a mode that nobody means.
 */
export function modeBits(): Schema {
  return octal(integer(0, 0o7777), DECIMAL_MODES);
}

/** A mask of permission bits; 77, which is 0o115, and the like are refused. */
export function maskBits(): Schema {
  return octal(integer(0, 0o777), DECIMAL_MASKS);
}

/** Usual modes, read as decimal numbers; 400 is missing, which is 0o620, the mode of terminals. */
const DECIMAL_MODES = [
  ...[444, 500, 550, 555, 600, 640, 644, 660, 664, 666, 700, 710, 711, 744, 750, 751, 755, 770],
  ...[771, 775, 777, 1755, 1770, 1775, 1777, 2755, 2770, 2775, 2777],
];

/** Usual masks, read as decimal numbers. */
const DECIMAL_MASKS = [22, 27, 77];

/**
 * A number in octal, or its text, as JSON has no octal numbers; a number without `0o` would be another
 * one.
 */
function octal(bits: Schema, mistaken: readonly number[]): Schema {
  return {
    ...bits,
    read: (value) => typeof value === "string" && OCTAL.test(value) ? parseInt(value, 8) : value,
    written: (value) => `0${(value as number).toString(8)}`,
    issue(value) {
      if (!mistaken.includes(value as number)) return bits.issue(value);
      return `${value} is 0o${
        (value as number).toString(8)
      } in octal; write 0o${value}, or "0${value}"`;
    },
    jsonSchema: () => ({ anyOf: [bits.jsonSchema(), { type: "string", pattern: OCTAL.source }] }),
  };
}

const OCTAL = /^0?[0-7]{1,4}$/;

/** True or false. */
export function boolean(): Schema {
  return schema(
    "true or false",
    (value) => typeof value === "boolean" ? undefined : mismatch(value, "true or false"),
    () => ({ type: "boolean" }),
  );
}

/** One of these words. */
export function oneOf(words: readonly string[]): Schema {
  const all = words.map((word) => `"${word}"`).join(", ");
  return schema(
    `one of ${all}`,
    (value) => {
      if (typeof value !== "string") return mismatch(value, `one of ${all}`);
      if (words.includes(value)) return undefined;
      return `${quoted(value)} is none of ${all}${suggestion(value, words)}`;
    },
    () => ({ enum: words }),
  );
}

/** A list of such values, with at least `min` of them. */
export function list(of: Schema, min = 0): Schema {
  const expected = `a list, each ${of.expected}`;
  return schema(
    expected,
    (value) => {
      if (!Array.isArray(value)) return mismatch(value, expected);
      if (value.length < min) return `needs at least ${min === 1 ? "one" : min}: ${of.expected}`;
      for (let index = 0; index < value.length; index++) {
        const issue = of.issue(value[index]);
        if (issue !== undefined) return `number ${index + 1}: ${issue}`;
      }
      return undefined;
    },
    () => ({ type: "array", items: of.jsonSchema(), ...(min > 0 && { minItems: min }) }),
  );
}

/** An object of names and such values. */
export function dictionary(key: Schema, of: Schema): Schema {
  const expected = `an object, each value ${of.expected}`;
  return schema(
    expected,
    (value) => {
      if (!isObject(value)) return mismatch(value, expected);
      for (const name of Object.keys(value)) {
        const issue = key.issue(name) ?? of.issue(value[name]);
        if (issue !== undefined) return `${quoted(name)}: ${issue}`;
      }
      return undefined;
    },
    () => ({
      type: "object",
      propertyNames: key.jsonSchema(),
      additionalProperties: of.jsonSchema(),
    }),
  );
}

/** An object with just these fields. */
export function object(fields: Readonly<Record<string, Schema>>): Schema {
  const expected = `an object with ${Object.keys(fields).join(", ")}`;
  return schema(
    expected,
    (value) => {
      if (!isObject(value)) return mismatch(value, expected);
      const invalid = invalidField(value, fields);
      return invalid && `${quoted(invalid.field)} ${invalid.issue}`;
    },
    () => objectSchema(fields),
  );
}

/** Either of two. */
export function either(one: Schema, other: Schema): Schema {
  const expected = `${one.expected}, or ${other.expected}`;
  return schema(
    expected,
    (value) => {
      const issues = [one.issue(value), other.issue(value)];
      if (issues.includes(undefined)) return undefined;
      // Of a list or an object, what is wrong in it says more than that it is neither.
      const at = [one, other].findIndex((schema) => isContainer(value, schema.jsonSchema()));
      return issues[at] ?? mismatch(value, expected);
    },
    () => ({ anyOf: [one.jsonSchema(), other.jsonSchema()] }),
  );
}

/** A field that is wrong, and how. */
export interface InvalidField {
  readonly field: string;
  readonly issue: string;
}

/** Whether a value is the list, or the object, that a JSON Schema is of. */
function isContainer(value: unknown, { type }: JsonSchema): boolean {
  return type === "array" ? Array.isArray(value) : type === "object" && isObject(value);
}

/**
 * Returns the first field of the object that is wrong, `undefined` when none is. The field `tag`
 * is not looked at. Only what is the object's own counts, as only that is copied.
 */
export function invalidField(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Schema>>,
  tag?: string,
): InvalidField | undefined {
  // Unknown ones first, as a field that is missing is often one that is misspelled.
  for (const name of Object.keys(value)) {
    if (name === tag || Object.hasOwn(fields, name) || value[name] === undefined) continue;
    return { field: name, issue: unknownIssue(name, Object.keys(fields)) };
  }
  for (const name in fields) {
    const field = fields[name]!;
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined) {
      const issue = field.issue(given);
      if (issue !== undefined) return { field: name, issue };
    } else if (!field.optional) {
      return { field: name, issue: `is missing: ${field.expected}` };
    }
  }
  return undefined;
}

function unknownIssue(name: string, names: readonly string[]): string {
  const known = names.length === 0 ? "there are no fields" : `the fields are ${names.join(", ")}`;
  // Who passes a list or a string as the options has its elements as their fields.
  if (/^\d+$/.test(name)) return `is no field: pass an object, not a list or a string; ${known}`;
  const near = nearest(name, names);
  return `is unknown; ${near === undefined ? known : `did you mean "${near}"?`}`;
}

/** Whether the value is an object, and not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON Schema of an object with just these fields. */
export function objectSchema(fields: Readonly<Record<string, Schema>>): JsonSchema {
  const entries = Object.entries(fields);
  const required = entries.filter(([, field]) => !field.optional).map(([name]) => name);
  return {
    type: "object",
    properties: Object.fromEntries(
      entries.map(([name, field]) =>
        [name, { description: field.expected, ...field.jsonSchema() }] as const
      ),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function mismatch(value: unknown, expected: string): string {
  return `should be ${expected}, not ${shown(value)}`;
}
