/**
 * What several subcommands have in common.
 *
 * @module
 */

import { settingOf } from "../setting.ts";
import type { Flag } from "../usage.ts";

export const JSON_FLAG: Flag = { name: "json", summary: "write JSON" };

export const RECIPE = { name: "RECIPE", completes: "file" } as const;

export const SET: Flag = {
  name: "set",
  value: "NAME=VALUE",
  repeated: true,
  check: settingOf,
  summary: "set a variable of the recipe, with its value as in YAML",
};

export const STREAM = "A recipe in YAML that comes by the standard input is -.";
