/** The part of JSON Schema that the schema of recipes uses; any other keyword is an error. */

import type { JsonSchema } from "../../recipe/schema.ts";

/**
 * Returns where the value does not match the schema, and the keyword; `undefined` if it matches.
 */
export function misfit(value: unknown, schema: JsonSchema, root: JsonSchema): string | undefined {
  for (const [word, rule] of Object.entries(schema)) {
    const check = KEYWORDS[word];
    if (check === undefined) throw new TypeError(`this validator does not know "${word}"`);
    const wrong = check(value, rule as never, schema, root);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

type Check = (
  value: unknown,
  rule: never,
  schema: JsonSchema,
  root: JsonSchema,
) => string | undefined;

const KEYWORDS: Readonly<Record<string, Check>> = {
  $schema: () => undefined,
  $defs: () => undefined,
  title: () => undefined,
  default: () => undefined,
  description: () => undefined,
  $ref(value, rule: string, _, root) {
    const [, name] = /^#\/\$defs\/(\w+)$/.exec(rule)!;
    return misfit(value, (root["$defs"] as Record<string, JsonSchema>)[name!]!, root);
  },
  type(value, rule: string | string[]) {
    return [rule].flat().includes(typeOf(value)) ||
        ([rule].flat().includes("number") && typeof value === "number")
      ? undefined
      : `${shown(value)} is no ${rule}`;
  },
  const: (value, rule) => value === rule ? undefined : `${shown(value)} is not ${rule}`,
  enum: (value, rule: unknown[]) =>
    rule.includes(value) ? undefined : `${shown(value)} is none of ${shown(rule)}`,
  minLength: (value, rule: number) =>
    typeof value !== "string" || value.length >= rule ? undefined : "too short",
  maxLength: (value, rule: number) =>
    typeof value !== "string" || value.length <= rule ? undefined : "too long",
  pattern: (value, rule: string) =>
    typeof value !== "string" || new RegExp(rule, "u").test(value)
      ? undefined
      : `${shown(value)} is not like ${rule}`,
  minimum: (value, rule: number) =>
    typeof value !== "number" || value >= rule ? undefined : `${value} is below ${rule}`,
  maximum: (value, rule: number) =>
    typeof value !== "number" || value <= rule ? undefined : `${value} is above ${rule}`,
  minItems: (value, rule: number) =>
    !Array.isArray(value) || value.length >= rule ? undefined : "too few items",
  items(value, rule: JsonSchema, _, root) {
    return Array.isArray(value) ? first(value.map((item) => misfit(item, rule, root))) : undefined;
  },
  anyOf(value, rule: JsonSchema[], _, root) {
    const wrong = rule.map((schema) => misfit(value, schema, root));
    return wrong.includes(undefined) ? undefined : wrong.join("; or ");
  },
  required: (value, rule: string[]) =>
    isObject(value)
      ? first(rule.map((name) => name in value ? undefined : `no ${name}`))
      : undefined,
  properties(value, rule: Record<string, JsonSchema>, _, root) {
    if (!isObject(value)) return undefined;
    return first(
      Object.entries(rule).map(([name, schema]) =>
        name in value ? misfit(value[name], schema, root) : undefined
      ),
    );
  },
  additionalProperties(value, rule: JsonSchema | false, schema, root) {
    if (!isObject(value)) return undefined;
    const known = Object.keys(schema["properties"] as object ?? {});
    const others = Object.entries(value).filter(([name]) => !known.includes(name));
    if (rule === false) return others.length === 0 ? undefined : `${others[0]![0]} is unknown`;
    return first(others.map(([, item]) => misfit(item, rule, root)));
  },
  propertyNames(value, rule: JsonSchema, _, root) {
    if (!isObject(value)) return undefined;
    return first(Object.keys(value).map((name) => misfit(name, rule, root)));
  },
};

function first(wrong: (string | undefined)[]): string | undefined {
  return wrong.find((one) => one !== undefined);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function shown(value: unknown): string {
  return JSON.stringify(value);
}
