/**
 * Looks for files of the host by their names, for a step.
 *
 * @module
 */

import type { NameQuestion, NameScan } from "../host/name_question.ts";
import type { PlanBuilder } from "./builder.ts";
import { MAX_DIRECTORIES } from "./host_facts.ts";

/** Looks for the names; refuses the step if there are too many directories to look in. */
export function scanNames(plan: PlanBuilder, question: Omit<NameQuestion, "most">): NameScan {
  return plan.facts.scanNames(question) ?? plan.refuse(
    `below ${question.directory} there are more directories, or paths that configurations of git ` +
      "name, than a plan looks through for files that are run or trusted outside later " +
      `(${MAX_DIRECTORIES}); grant directories in it instead, or have nothing protected ` +
      "(protect: false, --no-protect)",
  );
}
