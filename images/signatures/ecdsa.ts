/**
 * Signatures of ECDSA as signers write them: SEQUENCE { r INTEGER, s INTEGER } in DER (RFC 3279, 2.2.3).
 *
 * @module
 */

const [SEQUENCE, INTEGER] = [0x30, 0x02];

/**
 * The two numbers one after the other, as WebCrypto takes them; `undefined` where it is no such signature.
 *
 * @param size the bytes of a number of the curve
 */
export function ecdsaFromDer(
  der: Uint8Array<ArrayBuffer>,
  size: number,
): Uint8Array<ArrayBuffer> | undefined {
  const sequence = elementOf(der, SEQUENCE);
  if (sequence === undefined || sequence.rest.length > 0) return undefined;
  const r = elementOf(sequence.content, INTEGER);
  const s = r && elementOf(r.rest, INTEGER);
  if (s === undefined || s.rest.length > 0) return undefined;
  const raw = new Uint8Array(2 * size);
  for (const [index, { content }] of [r!, s].entries()) {
    const first = content.findIndex((byte) => byte !== 0);
    const number = first === -1 ? content.subarray(content.length) : content.subarray(first);
    if (number.length > size) return undefined;
    raw.set(number, (index + 1) * size - number.length);
  }
  return raw;
}

/** An element of DER. */
interface Element {
  readonly content: Uint8Array<ArrayBuffer>;
  /** What is behind it. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

/** The first element, if it has this tag. */
function elementOf(der: Uint8Array<ArrayBuffer>, tag: number): Element | undefined {
  if (der[0] !== tag) return undefined;
  // No signature of these curves has more than 255 bytes.
  const long = der[1] === 0x81;
  const length = long ? der[2] : der[1];
  const begin = long ? 3 : 2;
  if (length === undefined || (!long && length > 0x7f)) return undefined;
  if (der.length < begin + length) return undefined;
  return { content: der.subarray(begin, begin + length), rest: der.subarray(begin + length) };
}
