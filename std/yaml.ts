/** YAML that is written: `@std/yaml`, as npm has it, with the types that it lacks there. */

// @ts-types="./yaml.d.ts"
export { stringify } from "npm:deno-std@1.4.0/yaml/stringify.js";
