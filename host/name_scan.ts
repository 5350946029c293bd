/**
 * Looks for files by their names in a directory of the host and below it, within bounds.
 *
 * @module
 */

import { DirectoryLists } from "./directory_lists.ts";
import { NameIndex } from "./name_index.ts";
import type { NameQuestion, NameScan } from "./name_question.ts";
import { NameSearch } from "./name_search.ts";
import type { OtherNames } from "./other_names.ts";

/** Finds names, and remembers the directories, so that the next time only changed ones are read. */
export class NameScanner {
  readonly #lists: DirectoryLists = new DirectoryLists();
  readonly #asked: { readonly question: NameQuestion; readonly index: NameIndex }[] = [];

  /** Looks for the names of a question, by the mounts of the host. */
  scan(question: NameQuestion, otherNames: OtherNames): NameScan {
    const index = new NameIndex(question.names);
    this.#asked.push({ question, index });
    return new NameSearch(question, index, this.#lists, otherNames).run();
  }

  /** Looks for the names of all questions again. */
  again(otherNames: OtherNames): readonly NameScan[] {
    this.#lists.refresh();
    return this.#asked.map(({ question, index }) =>
      new NameSearch(question, index, this.#lists, otherNames).run()
    );
  }
}
