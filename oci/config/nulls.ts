/**
 * Fields that are null, which are as if they were not there: engines in Go write them for lists and
 * objects that are empty.
 *
 * @module
 */

/** Returns the value without such fields. */
export function withoutNulls<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutNulls) as T;
  const fields = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutNulls(field)])) as T;
}
