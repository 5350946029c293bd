/** The version of the program, which is the project's. */
export { VERSION } from "../../recipe/version.ts";
