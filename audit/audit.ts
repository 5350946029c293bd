/**
 * What an audit tells of a container.
 *
 * @module
 */

import type { Denials } from "./denial.ts";
import type { UsedFiles } from "./file_use.ts";

/** What is told. */
export interface Audit {
  readonly denials: Denials;
  /** The files that are used, where they are asked for. */
  readonly uses?: UsedFiles | undefined;
}
