/**
 * Copies the fields of what goes on from another of its kind.
 *
 * @module
 */

/**
 * Gives an object the public fields of another one. Lists, sets and maps are copied, so that what is
 * added to one is not in the other.
 */
export function copyFields<T extends object>(from: T, to: T): void {
  for (const name in from) {
    const value: unknown = from[name];
    (to as Record<string, unknown>)[name] = Array.isArray(value)
      ? [...value]
      : value instanceof Set
      ? new Set(value)
      : value instanceof Map
      ? new Map(value)
      : value;
  }
}
