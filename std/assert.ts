/** Assertions for the tests: `@std/assert`, as npm has it, with the types that it lacks there. */

// @ts-types="./assert.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
