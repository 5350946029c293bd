/** The version of the program, which is the project's. */
export const VERSION = "0.1.0";
