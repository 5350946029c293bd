/**
 * What a writer of a format gets of the command line.
 *
 * @module
 */

import type { Arguments } from "../arguments.ts";
import type { DataFile } from "../data_file.ts";

/** An export that was asked for. */
export interface ExportRequest {
  readonly file: DataFile;
  readonly program: readonly [string, ...string[]];
  /** Where the files are written to, from the root. */
  readonly directory: string;
}

/** Writes an export, and returns the paths of its files. */
export type ExportWriter = (request: ExportRequest) => readonly string[];

/** Reads the flags of a format, before the recipe is, and returns what writes it. */
export type ExportFormat = (given: Arguments, name: string) => ExportWriter;
