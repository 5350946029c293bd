/**
 * The JSON Schema of recipes as YAML or JSON texts, made from the schemas of the steps.
 *
 * @module
 */

import { type JsonSchema, objectSchema } from "../recipe/schema.ts";
import type { AnyStepSchema } from "../recipe/step_schema.ts";
import { STEP_SCHEMAS } from "../recipe/steps.ts";

/** A variable in place of a value. */
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
  const schemas = [...STEP_SCHEMAS.values()];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A recipe of Ramekin",
    type: "object",
    required: ["steps"],
    additionalProperties: false,
    properties: {
      variables: {
        description: "variables and their defaults; null for a variable without a default",
        type: "object",
        additionalProperties: { type: ["string", "number", "boolean", "null"] },
      },
      steps: {
        description: "the steps, in order",
        type: "array",
        items: {
          anyOf: [
            ...schemas.map(({ name }) => ({ $ref: `#/$defs/${name}` })),
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
            description: "the path of another recipe, relative to the directory of this one",
            type: "string",
          },
        },
      },
      ...Object.fromEntries(schemas.map((schema) => [schema.name, ofStep(schema)])),
    },
  };
}

function ofStep({ name, fields }: AnyStepSchema): JsonSchema {
  const { properties, required = [], ...rest } = withVariables(objectSchema(fields));
  return {
    ...rest,
    properties: { step: { const: name }, ...properties as JsonSchema },
    required: ["step", ...required as readonly string[]],
  };
}

/** Returns the schema with a variable allowed in place of each single value. */
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
  const described = description === undefined ? {} : { description };
  if (anyOf !== undefined) {
    const inner = (anyOf as readonly JsonSchema[]).map(withVariables);
    const choices = inner.flatMap((one) => one["anyOf"] as readonly JsonSchema[] ?? [one]);
    const others = choices.filter((choice) => choice["$ref"] !== VARIABLE.$ref);
    return { ...described, anyOf: others.length < choices.length ? [...others, VARIABLE] : others };
  }
  const isAnyText = type === "string" && rest["pattern"] === undefined;
  return isAnyText || Object.keys(rest).length === 0
    ? schema
    : { ...described, anyOf: [rest, VARIABLE] };
}

function eachWithVariables(schemas: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, withVariables(schema as JsonSchema)]),
  );
}
