/**
 * What the fields of a step may hold, said once: the check of a value that came from anywhere, and
 * the words for what was expected.
 *
 * @module
 */

/** What a field may hold. */
export interface Schema {
  /** What is expected, for a message: `"a path that begins with /"`. */
  readonly expected: string;
  /** Whether it may be left out. */
  readonly optional: boolean;
  /** The JSON Schema of what it may hold, as far as one can say it; what JSON cannot hold has none. */
  readonly schema?: JsonSchema;
  /** What is wrong with the value, or `undefined` when nothing is. */
  issue(value: unknown): string | undefined;
}

/** A JSON Schema: see json-schema.org. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The fields of a step, beside `step` itself. */
export type Schemas<S> = { readonly [K in Exclude<keyof S, "step">]-?: Schema };

/** The field, but it may be left out. */
export function optional(field: Schema): Schema {
  return { ...field, optional: true };
}

/** A string without NUL bytes, of at least `min` and at most `max` bytes in UTF-8. */
export function text(limits: { min?: number; max?: number } = {}): Schema {
  const { min = 0, max = Infinity } = limits;
  const schema = {
    type: "string",
    ...(min > 0 && { minLength: min }),
    ...(max < Infinity && { maxLength: max }),
  };
  return field("a string", schema, (value) => {
    if (typeof value !== "string") return mismatch(value, "a string");
    if (value.includes("\0")) return "holds a NUL byte, which no string of the kernel's can";
    const size = new TextEncoder().encode(value).length;
    if (size < min) return "is empty";
    if (size > max) return `has ${size} bytes; the kernel takes at most ${max}`;
    return undefined;
  });
}

/** Any string: what a file holds. */
export function content(): Schema {
  return field(
    "a string",
    { type: "string" },
    (value) => typeof value === "string" ? undefined : mismatch(value, "a string"),
  );
}

/** The kernel's PATH_MAX, the NUL at its end left out. */
const PATH_BYTES = 4095;

/** The name of an environment variable. */
export function variableName(): Schema {
  const base = text({ min: 1 });
  const schema = { type: "string", pattern: "^[^=]+$" };
  return field("a name of a variable", schema, (value) =>
    base.issue(value) ??
      ((value as string).includes("=") ? `a name must not contain "="` : undefined));
}

/** A path, relative or absolute. */
export function path(): Schema {
  return { ...text({ min: 1, max: PATH_BYTES }), expected: "a path" };
}

/** A path that begins with `/` and has no `..`, so that its place can be told before anything runs. */
export function absolutePath(): Schema {
  const base = path();
  const schema = { ...base.schema, pattern: "^/(?!(.*/)?\\.\\.(/|$))" };
  return field("a path that begins with /", schema, (value) => {
    const issue = base.issue(value);
    if (issue !== undefined) return issue;
    if (!(value as string).startsWith("/")) return `"${value}" has to begin with /`;
    if ((value as string).split("/").includes("..")) return `"${value}" must not contain ".."`;
    return undefined;
  });
}

/** A whole number from `min` to `max`. */
export function integer(min = 0, max: number = Number.MAX_SAFE_INTEGER): Schema {
  const expected = max === Number.MAX_SAFE_INTEGER
    ? `a whole number, ${min} or more`
    : `a whole number from ${min} to ${max}`;
  const schema = { type: "integer", minimum: min, maximum: max };
  return field(expected, schema, (value) => {
    if (typeof value !== "number" || !Number.isInteger(value)) return mismatch(value, expected);
    if (value < min || value > max) return `${value} is not ${expected}`;
    return undefined;
  });
}

/** A user or group id; -1 (4294967295) means none to the kernel. */
export function id(): Schema {
  return integer(0, 0xffff_fffe);
}

/** A file mode's permission bits. */
export function modeBits(): Schema {
  return integer(0, 0o7777);
}

/** True or false. */
export function boolean(): Schema {
  return field("true or false", { type: "boolean" }, (value) => {
    if (typeof value !== "boolean") return mismatch(value, "true or false");
    return undefined;
  });
}

/** One of these words. */
export function oneOf(words: readonly string[]): Schema {
  const expected = words.map((word) => `"${word}"`).join(", ");
  return field(`one of ${expected}`, { enum: words }, (value) => {
    if (typeof value !== "string") return mismatch(value, `one of ${expected}`);
    if (words.includes(value)) return undefined;
    const near = nearest(value, words);
    return near === undefined
      ? `"${value}" is none of ${expected}`
      : `"${value}" is none of ${expected}; did you mean "${near}"?`;
  });
}

/** A list of such values, with at least `min` of them. */
export function list(of: Schema, min = 0): Schema {
  const expected = `a list, each ${of.expected}`;
  const schema = { type: "array", items: schemaOf(of), ...(min > 0 && { minItems: min }) };
  return field(expected, schema, (value) => {
    if (!Array.isArray(value)) return mismatch(value, expected);
    if (value.length < min) return `needs at least ${min === 1 ? "one" : min}: ${of.expected}`;
    for (const [index, item] of value.entries()) {
      const issue = of.issue(item);
      if (issue !== undefined) return `number ${index + 1}: ${issue}`;
    }
    return undefined;
  });
}

/** An object of names and such values. */
export function dictionary(key: Schema, of: Schema): Schema {
  const expected = `an object, each value ${of.expected}`;
  const schema = {
    type: "object",
    propertyNames: schemaOf(key),
    additionalProperties: schemaOf(of),
  };
  return field(expected, schema, (value) => {
    if (!isObject(value)) return mismatch(value, expected);
    for (const [name, item] of Object.entries(value)) {
      const issue = key.issue(name) ?? of.issue(item);
      if (issue !== undefined) return `"${name}": ${issue}`;
    }
    return undefined;
  });
}

/** An object with just these fields. */
export function object(fields: Readonly<Record<string, Schema>>): Schema {
  const expected = `an object with ${Object.keys(fields).join(", ")}`;
  return field(expected, objectSchema(fields), (value) => {
    if (!isObject(value)) return mismatch(value, expected);
    const wrong = invalidField(value, fields);
    return wrong && `"${wrong.field}" ${wrong.issue}`;
  });
}

/** Either of two. */
export function either(one: Schema, other: Schema): Schema {
  const expected = `${one.expected}, or ${other.expected}`;
  const schema = { anyOf: [schemaOf(one), schemaOf(other)] };
  return field(expected, schema, (value) => {
    if (one.issue(value) === undefined || other.issue(value) === undefined) {
      return undefined;
    }
    return mismatch(value, expected);
  });
}

/** The first field of the object that is wrong, and how. */
export function invalidField(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Schema>>,
): { readonly field: string; readonly issue: string } | undefined {
  const names = Object.keys(fields);
  // First, as a field that is missing is often one that is misspelled.
  for (const name of Object.keys(value)) {
    if (names.includes(name) || value[name] === undefined) continue;
    const near = nearest(name, names);
    const known = names.length === 0 ? "there are no fields" : `the fields are ${names.join(", ")}`;
    return {
      field: name,
      issue: `is unknown; ${near === undefined ? known : `did you mean "${near}"?`}`,
    };
  }
  for (const [name, field] of Object.entries(fields)) {
    const given = value[name];
    if (given === undefined) {
      if (field.optional) continue;
      return { field: name, issue: `is missing: ${field.expected}` };
    }
    const issue = field.issue(given);
    if (issue !== undefined) return { field: name, issue };
  }
  return undefined;
}

/** The word that was probably meant: the nearest within a third of its length. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of words) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Whether the value is an object with fields of its own. */
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
      entries.map(([name, field]) => [name, { description: field.expected, ...field.schema }]),
    ),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function schemaOf(field: Schema): JsonSchema {
  return field.schema ?? {};
}

function field(
  expected: string,
  schema: JsonSchema,
  issue: (value: unknown) => string | undefined,
): Schema {
  return { expected, optional: false, schema, issue };
}

function mismatch(value: unknown, expected: string): string {
  return `should be ${expected}, not ${shown(value)}`;
}

function shown(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  return typeof value === "function" ? "a function" : String(value);
}

/** How many letters have to be changed, added, left out, or swapped with the next. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  let rowBefore: number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? rowBefore[j - 2]! + 1
        : Infinity;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    [rowBefore, row] = [row, next];
  }
  return row[b.length]!;
}
