/**
 * Lists of processors and of memory nodes: `"0-3,7"`. See cpuset(7).
 *
 * @module
 */

/** Whether the text is a list of numbers and of ranges of them. */
export function isNumberList(list: string, greatest: number): boolean {
  return list.split(",").every((range) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    return first !== undefined && Number(first) <= Number(last) && Number(last) <= greatest;
  });
}

/** What such a list looks like, for the JSON Schema. */
export const NUMBER_LIST = "^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$";

/** Returns the numbers of a list. */
export function numbersIn(list: string): readonly number[] {
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
