/**
 * What cannot be done with a file of an image.
 *
 * @module
 */

/** Something that cannot be done with the files of an image; the message says what. */
export class PathIssue extends Error {
  /** `"PathIssue"`. */
  override readonly name = "PathIssue";
}
