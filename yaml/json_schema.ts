/**
 * The JSON Schema of recipes as texts, made of the fields by which the steps are checked.
 *
 * @module
 */

import { type JsonSchema, objectSchema } from "../recipe/schema.ts";
import type { AnyStepDefinition } from "../recipe/check.ts";
import { STEP_DEFINITIONS } from "../recipe/steps.ts";

/** Stands in place of a value, or of a part of it. */
const VARIABLE = { $ref: "#/$defs/variable" };

/**
 * The JSON Schema (2020-12) of recipes as texts, by which editors complete and check them.
 * Cannot fail.
 *
 * @example
 * ```ts
 * import { recipeSchema } from "@ramekin/ramekin/yaml";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(recipeSchema()["required"], ["steps"]);
 * ```
 */
export function recipeSchema(): JsonSchema {
  const definitions = [...STEP_DEFINITIONS.values()];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A recipe of Ramekin",
    type: "object",
    required: ["steps"],
    additionalProperties: false,
    properties: {
      variables: {
        description: "variables and their defaults; null for one that has to be given a value",
        type: "object",
        additionalProperties: { type: ["string", "number", "boolean", "null"] },
      },
      steps: {
        description: "the steps, in the order in which they happen",
        type: "array",
        items: {
          anyOf: [
            ...definitions.map(({ step }) => ({ $ref: `#/$defs/${step}` })),
            { $ref: "#/$defs/include" },
          ],
        },
      },
    },
    $defs: {
      variable: {
        description: "a variable: ${name}",
        type: "string",
        pattern: "\\$\\{[^}]*\\}",
      },
      include: {
        type: "object",
        required: ["include"],
        additionalProperties: false,
        properties: {
          include: {
            description: "the path of a recipe, from this one's directory",
            type: "string",
          },
        },
      },
      ...Object.fromEntries(definitions.map((definition) => [definition.step, ofStep(definition)])),
    },
  };
}

function ofStep({ step, fields }: AnyStepDefinition): JsonSchema {
  const { properties, required = [], ...rest } = withVariables(objectSchema(fields));
  return {
    ...rest,
    properties: { step: { const: step }, ...properties as JsonSchema },
    required: ["step", ...required as readonly string[]],
  };
}

/** The schema, with variables in place of single values. */
function withVariables(schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema;
  const { type, items, anyOf, properties, additionalProperties } = rest;
  if (type === "array") return { ...schema, items: withVariables(items as JsonSchema) };
  if (type === "object") {
    return {
      ...schema,
      ...(properties !== undefined && { properties: eachWithVariables(properties as JsonSchema) }),
      ...(typeof additionalProperties === "object" && {
        additionalProperties: withVariables(additionalProperties as JsonSchema),
      }),
    };
  }
  const told = description === undefined ? {} : { description };
  if (anyOf !== undefined) {
    const inner = (anyOf as readonly JsonSchema[]).map(withVariables);
    const choices = inner.flatMap((one) => one["anyOf"] as readonly JsonSchema[] ?? [one]);
    const others = choices.filter((choice) => choice["$ref"] !== VARIABLE.$ref);
    return { ...told, anyOf: others.length < choices.length ? [...others, VARIABLE] : others };
  }
  const isAnyText = type === "string" && rest["pattern"] === undefined;
  return isAnyText || Object.keys(rest).length === 0
    ? schema
    : { ...told, anyOf: [rest, VARIABLE] };
}

function eachWithVariables(schemas: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, withVariables(schema as JsonSchema)]),
  );
}
