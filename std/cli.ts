/**
 * Arguments of programs: `@std/cli`, as npm has it, with the types that it lacks there. The module
 * of the whole is no use, as the package has lost a file of data of a part that is not needed here.
 */

// @ts-types="./cli.d.ts"
export * from "npm:deno-std@1.4.0/cli/parse_args.js";
